import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../plugin/metering-and-billing/config.ts';
import { kongConfig, SchemaViolation } from '../gateway-player/index.ts';
import { findCommand, plainEnv, type Run, run } from '../support/programs.ts';

const TEXT = readFileSync('kong.yml', 'utf8');
const ENVIRONMENT = {
  DECK_INGEST_ENDPOINT: 'http://127.0.0.1:8888/v3/openmeter/events',
  DECK_AUTH_TOKEN: 'a-token-for-a-test',
};
const DECK = findCommand('deck');
const NO_DECK = 'deck is not installed; Debian has it as the package "deck"';

interface PluginEntity {
  name: string;
  config: Record<string, unknown>;
}
interface KongYml {
  _format_version: string;
  services: { name: string; url: string; routes: { name: string; paths: string[] }[]; plugins: PluginEntity[] }[];
  consumers: { username: string; keyauth_credentials: { key: string }[] }[];
}

/** What decK makes of the file before it reads it as YAML. */
function filledIn(text: string): string {
  return text.replace(/\$\{\{ env "(\w+)" \}\}/g, (_, name: string) => {
    const value: string | undefined = Object.entries(ENVIRONMENT).find(([key]) => key === name)?.[1];
    if (value === undefined) throw new Error(`kong.yml asks for ${name}, which the documentation does not name`);
    return value;
  });
}

function pluginConfig(): Record<string, unknown> {
  const file = parse(filledIn(TEXT)) as KongYml;
  const config = file.services[0]?.plugins.find((plugin) => plugin.name === 'metering-and-billing')?.config;
  if (config === undefined) throw new Error('kong.yml does not have the plugin on its first service');
  return config;
}

function validate(file: string): Run {
  const env = plainEnv(ENVIRONMENT);
  // The name of the command in decK 1.43; Debian 12 has 1.4, which has another.
  const isNew = run('deck', ['file', 'validate', '--help'], { env }).code === 0;
  return isNew ? run('deck', ['file', 'validate', file], { env }) : run('deck', ['validate', '--state', file], { env });
}

test('kong.yml is YAML before decK fills in its values, and after it', () => {
  const before = parse(TEXT) as KongYml;
  const after = parse(filledIn(TEXT)) as KongYml;
  expect(before._format_version).toBe('3.0');
  expect(after.services).toMatchObject([
    {
      name: 'example-service',
      url: 'http://httpbin.konghq.com/anything',
      routes: [{ name: 'example-route', paths: ['/anything'] }],
      plugins: [
        { name: 'key-auth', config: { key_names: ['apikey'] } },
        {
          name: 'metering-and-billing',
          config: {
            ingest_endpoint: ENVIRONMENT.DECK_INGEST_ENDPOINT,
            api_token: ENVIRONMENT.DECK_AUTH_TOKEN,
            meter_api_requests: true,
            meter_ai_token_usage: false,
            subject: { look_up_value_in: 'consumer' },
          },
        },
      ],
    },
  ]);
  const keys = after.consumers.map(({ username, keyauth_credentials }) => [username, keyauth_credentials[0]?.key]);
  expect(keys).toEqual([
    ['alice', 'alice-key'],
    ['bob', 'bob-key'],
    ['kong-air', 'air-key'],
  ]);
});

test("the plugin's configuration has fields of its Schema only, and the plugin accepts it without a warning", () => {
  const config = kongConfig(pluginConfig());
  expect(readConfig(config)).toMatchObject({ config: { warnings: [] } });
  expect(() => kongConfig({ ...pluginConfig(), meter_requests: true })).toThrow(SchemaViolation);
});

test('decK accepts kong.yml', ({ skip }) => {
  skip(DECK === undefined, NO_DECK);
  const { code, stderr } = validate('kong.yml');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('decK does not accept a kong.yml with a property that no entity has', ({ skip }) => {
  skip(DECK === undefined, NO_DECK);
  const folder = mkdtempSync(join(tmpdir(), 'kong-yml-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'kong.yml');
  writeFileSync(file, TEXT.replace('    plugins:', '    plugns:'));
  const { code, stderr } = validate(file);
  expect(code).toBe(1);
  expect(stderr).toContain('plugns');
});
