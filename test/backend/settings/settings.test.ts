import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, configWarnings, loadConfig } from '../../../backend/config.ts';
import { SECRET_SETTINGS, SETTING_NAMES, type SettingName } from '../../../backend/settings/index.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  file = join(folder, 'backend.yaml');
});
afterAll(() => rmSync(folder, { recursive: true }));

function withFile(text: string, environment: Record<string, string> = {}) {
  writeFileSync(file, text);
  return loadConfig({ ...environment, CONFIG_FILE: file });
}

/** The mistakes that a configuration is refused with, a line each. */
function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

/** A value for each setting that is not its default. */
const GIVEN: Record<SettingName, string> = {
  STRIPE_API_URL: 'https://stripe.proxy.example',
  HOST: '0.0.0.0',
  PORT: '9999',
  DATA_DIR: '/somewhere',
  DATABASE_URL: 'postgres://metering:secret-of-the-database@db.example/metering',
  ACCEPT_DATA_LOSS: '0123456789ab',
  LOG_LEVEL: 'debug',
  MAX_BODY_BYTES: '2048',
  MAX_EVENT_DATA_BYTES: '4096',
  MAX_BODY_BYTES_IN_FLIGHT: '4096',
  SHUTDOWN_TIMEOUT_MS: '1',
  KEEP_ALIVE_TIMEOUT_MS: '90000',
  MAX_CLOCK_JUMP_HOURS: '24',
  EVENT_RETENTION_DAYS: '400',
  AUDIT_LOG_RETENTION_DAYS: '800',
  RATE_LIMIT_PER_TOKEN_PER_MINUTE: '6000',
  DOCUMENT_FONTS_DIR: import.meta.dirname,
  SESSION_HOURS: '8',
  PUBLIC_URL: 'https://billing.example.com',
  OIDC_ISSUER: 'https://id.example.com/realms/main',
  OIDC_CLIENT_ID: 'metering',
  OIDC_CLIENT_SECRET: 'secret-of-the-client-1',
  OIDC_NAME: 'Example',
  OIDC_SCOPES: 'openid groups',
  OIDC_ROLE_CLAIM: 'groups',
  OIDC_ROLES: 'cn=finance=billing_admin, *=viewer',
  KONG_ADMIN_URL: 'https://kong.example:8444/admin',
  KONG_ADMIN_TOKEN: 'secret-of-kong',
  OUTGOING_LOCAL_ADDRESSES: '127.0.0.1, fe80::/10',
  NOTIFICATION_ALLOWED_NETWORKS: '10.1.0.0/16',
  NOTIFICATION_RETENTION_DAYS: '30',
  SECRETS_KEY: 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
  ADMIN_TOKEN: 'secret-of-the-admin-1',
  INGEST_TOKEN: '012345678901234567890',
  VIEWER_TOKEN: 'secret-of-the-viewer-1',
  ENFORCEMENT_TOKEN: 'secret-of-the-gateway-1',
  TOKENS_FILE: '',
  READER_THREADS: '3',
  MAX_WAITING_QUERIES: '7',
  QUERY_TIMEOUT_MS: '1000',
  MAX_QUEUED_EVENTS: '50',
  METRICS_TOKEN: 'secret-of-the-scraper-1',
  METRICS_PUBLIC: 'true',
  MIN_FREE_DISK_BYTES: '1024',
};
const without = (...names: SettingName[]) =>
  Object.fromEntries(Object.entries(GIVEN).filter(([name]) => !names.includes(name as SettingName)));
const asYaml = (settings: Record<string, string>) =>
  Object.entries(settings)
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .join('\n');

describe('environment and file', () => {
  test('mean the same, setting by setting', () => {
    expect(Object.keys(GIVEN).sort()).toEqual([...SETTING_NAMES].sort());
    const fromFile = withFile(asYaml(GIVEN));
    expect(fromFile).toEqual(loadConfig(GIVEN));
    expect(fromFile).not.toEqual(loadConfig({}));
    // Digits that a YAML number would not keep.
    expect(fromFile.tokens).toContainEqual({ name: 'INGEST_TOKEN', role: 'ingest', token: GIVEN.INGEST_TOKEN });
  });

  test('the environment wins, and empty values are unset in both', () => {
    const config = withFile('port: 1\nhost: file.example\nlog_level:\nshutdown_timeout_ms: ~\nmax_body_bytes: null\n', {
      PORT: '2',
      HOST: '',
    });
    expect(config).toMatchObject({ port: 2, host: 'file.example' });
    expect(config).toMatchObject({ logLevel: 'info', shutdownTimeoutMs: 10_000, maxBodyBytes: 10_485_760 });
  });

  test('an empty file and one of comments set nothing', () => {
    expect(withFile('')).toEqual(loadConfig({}));
    expect(withFile('# port: 1\n')).toEqual(loadConfig({}));
  });
});

describe('what is wrong is told at once', () => {
  test('from both places and the file of tokens, by name and rule, without a value', () => {
    const tokens = join(folder, 'tokens.json');
    writeFileSync(tokens, JSON.stringify([{ name: 'a', role: 'root', token: 'tell-nobody-0123456' }]));
    const problems = problemsOf(() =>
      withFile(
        `prot: 1\nlog_level: loud\nadmin_token: tell nobody 0123456\nwhatever_else: 1\ntokens_file: ${tokens}\n`,
        {
          PORT: 'eighty',
          MAX_BODY_BYTES: '0x1000',
          SHUTDOWN_TIMEOUT_MS: '600001',
          KONG_ADMIN_URL: 'http://tell:nobody@kong.example',
        },
      ),
    );
    expect(problems).toEqual([
      `CONFIG_FILE ${file}: prot: there is no such setting; did you mean port?`,
      `CONFIG_FILE ${file}: whatever_else: there is no such setting`,
      'environment variable PORT: must be a whole number from 0 to 65535',
      `CONFIG_FILE ${file}: log_level: must be one of trace, debug, info, warn, error, fatal, silent`,
      'environment variable MAX_BODY_BYTES: must be a whole number from 1024 to 1073741824',
      'environment variable SHUTDOWN_TIMEOUT_MS: must be a whole number from 0 to 600000',
      'environment variable KONG_ADMIN_URL: must not contain credentials: use KONG_ADMIN_TOKEN',
      `CONFIG_FILE ${file}: admin_token: must not contain blanks`,
      `TOKENS_FILE ${tokens} 0.role: must be one of admin, billing_admin, viewer, ingest, enforcement`,
    ]);
    expect(problems.join()).not.toMatch(/nobody|loud|eighty/);
  });

  test.for([
    ['a list', '- port: 1', 'must be a map of settings'],
    ['a value of several', 'port: [1, 2]', 'port: must be a single value'],
    ['a map as a key', '? {a: b}\n: c', 'every key must be the name of a setting'],
    ['a setting twice', 'port: 1\nport: 2', 'line 2, column 1: is not valid YAML (DUPLICATE_KEY)'],
    ['no YAML', 'admin_token: "tell-nobody-012345', 'is not valid YAML (MISSING_CHAR)'],
    ['the name in capitals', 'PORT: 1', 'PORT: there is no such setting; did you mean port?'],
  ])('%s', ([, text, problem]) => {
    const problems = problemsOf(() => withFile(text ?? ''));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems[0]).not.toContain('nobody');
  });

  test('a file that is not there', () => {
    const problems = problemsOf(() => loadConfig({ CONFIG_FILE: join(folder, 'none.yaml'), PORT: 'x' }));
    expect(problems).toEqual([
      `CONFIG_FILE ${join(folder, 'none.yaml')}: cannot be read`,
      'environment variable PORT: must be a whole number from 0 to 65535',
    ]);
  });
});

test('a variable that is nearly a setting is told, others are not', () => {
  expect(
    configWarnings({ MAX_BODY_BYTE: '1', ADMIN_TOKENS: 'x', HOSTS: 'x', PATH: '/bin', KONG_ADMIN_PORT: '1' }),
  ).toEqual([
    'environment variable MAX_BODY_BYTE is no setting; did you mean MAX_BODY_BYTES?',
    'environment variable ADMIN_TOKENS is no setting; did you mean ADMIN_TOKEN?',
  ]);
});

describe('npm run config-check', () => {
  const check = async (environment: Record<string, string>) => {
    const env = { PATH: process.env['PATH'], ...environment };
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, ['bin/config-check.js'], { env })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };

  test('shows what is in force and where it comes from, hides secrets, and can be read back', async () => {
    const given = without('TOKENS_FILE', 'PORT');
    writeFileSync(file, asYaml({ ...given, HOST: 'file.example' }));
    const { code, stdout, stderr } = await check({ CONFIG_FILE: file, HOST: '0.0.0.0', ADMIN_TOKN: 'x' });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Warning: environment variable ADMIN_TOKN is no setting; did you mean ADMIN_TOKEN?\n',
    });
    expect(stdout).toContain('host: 0.0.0.0 # environment\n');
    expect(stdout).toContain('port: 8888 # default\n');
    expect(stdout).toContain('log_level: debug # CONFIG_FILE\n');
    expect(stdout).toContain('# tokens_file is not set\n');
    for (const name of SECRET_SETTINGS) {
      expect(stdout).toContain(`${name.toLowerCase()}: (hidden) # CONFIG_FILE\n`);
      expect(stdout).not.toContain(GIVEN[name]);
    }
    const shown = Object.entries(parse(stdout) as Record<string, unknown>);
    const plain = Object.fromEntries(
      shown.flatMap(([key, value]) => (value === '(hidden)' ? [] : [[key, `${value}`]])),
    );
    const { tokens: _, kongAdmin: __, ...rest } = withFile(asYaml(plain));
    expect(rest).toMatchObject({ ...rest, host: '0.0.0.0', logLevel: 'debug', eventRetentionDays: 400 });
  });

  test('ends with exit code 1 and all mistakes', async () => {
    const { code, stdout, stderr } = await check({ PORT: 'x', LOG_LEVEL: 'x' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      'The configuration is not valid:',
      'environment variable PORT: must be a whole number from 0 to 65535',
      expect.stringContaining('environment variable LOG_LEVEL: must be one of'),
      '',
    ]);
  });

  test('says that billing keeps events for longer than a short retention would', async () => {
    const { code, stderr } = await check({ EVENT_RETENTION_DAYS: '30' });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'Warning: EVENT_RETENTION_DAYS is 30: where invoices are made, events are kept as long as',
    );
  });
});
