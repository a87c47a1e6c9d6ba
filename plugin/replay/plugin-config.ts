import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type PluginConfig, readConfig } from '../metering-and-billing/config.ts';

const PLUGIN_NAME = 'metering-and-billing';

/** The configuration that the replayed requests were, or would have been, metered with. */
export interface ReplayConfigSource {
  /** JSON or YAML: the plugin's `config`, or a whole declarative file in which the plugin stands once. */
  file?: string | undefined;
  endpoint?: string | undefined;
  token?: string | undefined;
  /** For `${{ env "NAME" }}` in the file. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** A setting is wrong: the message says which, never its value. */
export class ReplayConfigError extends Error {}

/** Reads the configuration; without a file, the plugin's defaults. @throws ReplayConfigError */
export function loadReplayConfig({ file, endpoint, token, environment }: ReplayConfigSource): PluginConfig {
  const given = file === undefined ? {} : pluginConfigOf(parseFile(file, environment));
  const raw = {
    // Replaying to a file needs neither, and the checks are the plugin's own.
    ingest_endpoint: 'http://localhost/',
    api_token: 'none',
    ...given,
    ...(endpoint !== undefined && { ingest_endpoint: endpoint }),
    ...(token !== undefined && { api_token: token }),
  };
  const { config, problems } = readConfig(raw);
  if (problems !== undefined) throw new ReplayConfigError(problems.join('\n'));
  return config;
}

function parseFile(file: string, environment: ReplayConfigSource['environment']): unknown {
  const text = readFileSync(file, 'utf8').replace(/\$\{\{\s*env\s*\\?"(\w+)\\?"\s*\}\}/g, (_, name: string) => {
    const value = environment[name];
    if (value === undefined) throw new ReplayConfigError(`${file}: the environment variable ${name} is not set`);
    return value;
  });
  try {
    return parse(text);
  } catch {
    throw new ReplayConfigError(`${file} is neither YAML nor JSON`);
  }
}

function pluginConfigOf(document: unknown): object {
  const found: object[] = [];
  collect(document, found);
  if (found.length > 1) {
    throw new ReplayConfigError(
      `the file has ${found.length} ${PLUGIN_NAME} plugins: give a file with the one to replay`,
    );
  }
  const [only] = found;
  if (only !== undefined) return only;
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document;
  throw new ReplayConfigError('the file holds no plugin configuration');
}

/** Plugins stand at the top of a declarative file, or inside services, routes and consumers. */
function collect(node: unknown, found: object[]): void {
  if (typeof node !== 'object' || node === null) return;
  if ('name' in node && node.name === PLUGIN_NAME && 'config' in node) {
    if (typeof node.config === 'object' && node.config !== null) found.push(node.config);
    return;
  }
  for (const child of Object.values(node)) collect(child, found);
}
