import { parseDocument } from 'yaml';
import type { z } from 'zod';
import type { OutputSettings } from '../core/collector.ts';
import type { SourceKind, SourceKinds } from '../core/source-kind.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { interpolate, type Problem, type References } from './interpolate.ts';
import { configSchema } from './schema.ts';

/** A configuration that has been read and checked. */
export interface Config {
  readonly buffer: { readonly path: string; readonly maxBytes: number };
  /** Where metrics and health are served; undefined = nowhere. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
  readonly collectors: readonly CollectorConfig[];
}

export interface CollectorConfig {
  readonly name: string;
  readonly kind: SourceKind;
  /** Its key under `input`. */
  readonly kindName: string;
  readonly settings: unknown;
  readonly mapping: Mapping;
  readonly output: OutputSettings;
}

/** All that is wrong with a configuration, a line each. Values are not quoted: some are secrets. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ path, reason }) => (path === '' ? reason : `${path}: ${reason}`)).join('\n'));
    this.problems = problems;
  }
}

/** @throws ConfigError that names everything that is wrong */
export function readConfig(text: string, kinds: SourceKinds, references: References): Config {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ message }) => ({ path: '', reason: message.split('\n', 1)[0] ?? message })),
    );
  }
  if (document.contents === null) throw new ConfigError([{ path: '', reason: 'the file is empty' }]);
  const problems: Problem[] = [];
  const given = interpolate(document.toJS({ maxAliasCount: 100 }), references, problems);
  const { single, several } = configSchema(kinds);
  const isSeveral = typeof given === 'object' && given !== null && 'collectors' in given;
  const parsed = (isSeveral ? several : single).safeParse(given);
  if (!parsed.success) problems.push(...problemsOf(parsed.error));
  if (!parsed.success || problems.length > 0) throw new ConfigError(withoutFollowing(problems));
  const { buffer, http, collectors } = parsed.data;
  return {
    buffer: { path: buffer.sqlite.path, maxBytes: buffer.sqlite.max_bytes },
    http: http.enabled ? http.address : undefined,
    collectors: collectors.map(({ name, input, pipeline, output }) => ({
      name,
      ...input,
      mapping: pipeline.processors[0],
      output,
    })),
  };
}

function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = pathOf(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, reason: 'is not known here' }));
    }
    const isMissing =
      issue.code === 'invalid_type' && issue.input === undefined && issue.message.startsWith('Invalid input');
    return [{ path, reason: isMissing ? 'is missing' : issue.message }];
  });
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
}

/** A value that refers to nothing is empty, and so breaks its own rule as well: one line is enough. */
function withoutFollowing(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ path }) => {
    const isNew = path === '' || !seen.has(path);
    seen.add(path);
    return isNew;
  });
}
