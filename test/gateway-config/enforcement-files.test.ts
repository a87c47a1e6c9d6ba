import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../plugin/entitlement-enforcement/config.ts';
import { Name } from '../../plugin/entitlement-enforcement/index.ts';
import { Schema } from '../../plugin/entitlement-enforcement/schema.ts';
import { kongConfig } from '../gateway-player/index.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';

const IMAGE = readFileSync('docker/kong/Dockerfile', 'utf8');
const { services, volumes } = parse(readFileSync('docker-compose.enforcement.yml', 'utf8')) as {
  services: { kong: { environment: Record<string, string>; volumes: string[] } };
  volumes: Record<string, unknown>;
};
const { environment } = services.kong;
const setting = (name: string) => environment[`KONG_${name}`] ?? '';
const VALUES = {
  DECK_INGEST_ENDPOINT: 'http://127.0.0.1:8888/v3/openmeter/events',
  DECK_AUTH_TOKEN: 'a-token-for-a-test',
  DECK_ENTITLEMENT_ACCESS_ENDPOINT: 'http://127.0.0.1:8888/v3/openmeter/entitlement-access/query',
  DECK_ENTITLEMENT_ACCESS_API_TOKEN: 'another-token-for-a-test',
};

interface KongYml {
  services: { plugins: { name: string; config: Record<string, unknown> }[] }[];
}

/** Runs a command of the image here. */
function commandHere(name: string, folder = '/nonexistent'): [string, string[]] {
  const [program = '', ...args] = setting(name)
    .replaceAll('/usr/local/bin/node', process.execPath)
    .replaceAll('/opt/kong-plugin-server', resolve('dist/plugin-server'))
    .replaceAll('/opt/kong-js-plugins', resolve('dist/plugin'))
    .replaceAll('/kong_prefix', folder)
    .replaceAll('/var/lib', folder)
    .split(' ');
  return [program, args];
}

test('kong-enforcement.yml is kong.yml with the second plugin, and both accept their configuration', () => {
  const text = readFileSync('kong-enforcement.yml', 'utf8');
  const file = parse(text) as KongYml;
  const plain = parse(readFileSync('kong.yml', 'utf8')) as KongYml;
  const namesOf = ({ services: [service] }: KongYml) => service?.plugins.map(({ name }) => name);
  expect(namesOf(file)).toEqual([...(namesOf(plain) ?? []), Name]);
  expect({ ...file, services: [] }).toEqual({ ...plain, services: [] });
  const filledIn = text.replace(/\$\{\{ env "(\w+)" \}\}/g, (_, name: keyof typeof VALUES) => VALUES[name]);
  const [metering, enforcing] = (parse(filledIn) as KongYml).services[0]?.plugins.slice(1) ?? [];
  expect(readConfig(kongConfig(enforcing?.config ?? {}, {}, Schema)).problems).toBeUndefined();
  expect(kongConfig(metering?.config ?? {})).toMatchObject({ allow_status_codes: ['200-299'] });
});

test('decK accepts kong-enforcement.yml', ({ skip }) => {
  skip(findCommand('deck') === undefined, 'deck is not installed; Debian has it as the package "deck"');
  const env = plainEnv(VALUES);
  const isNew = run('deck', ['file', 'validate', '--help'], { env }).code === 0;
  const args = isNew ? ['file', 'validate'] : ['validate', '--state'];
  const { code, stderr } = run('deck', [...args, 'kong-enforcement.yml'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('its form without a database has references in fields that Kong looks up', () => {
  const { code, stdout } = run('bash', ['docker/kong/dbless-config.sh', 'kong-enforcement.yml'], {
    env: plainEnv(VALUES),
  });
  expect(code).toBe(0);
  const plugin = (parse(stdout) as KongYml).services[0]?.plugins.find(({ name }) => name === Name);
  const references = Object.entries(plugin?.config ?? {}).filter(([, value]) => String(value).startsWith('{vault:'));
  expect(references.map(([name]) => name).toSorted()).toEqual(['api_token', 'entitlement_access_endpoint']);
  const rules = Object.fromEntries(Schema.flatMap((field) => Object.entries(field)));
  for (const [name] of references) expect(rules[name]?.referenceable).toBe(true);
  expect(stdout).not.toContain(VALUES.DECK_ENTITLEMENT_ACCESS_API_TOKEN);
});

test('the Compose file loads the second plugin from files that the image has, and names all that the image sets', () => {
  expect(setting('PLUGINS')).toBe(`bundled,metering-and-billing,${Name}`);
  expect(setting('PLUGINSERVER_NAMES')).toBe('js,enforcement');
  const imageStart = /KONG_PLUGINSERVER_JS_START_CMD="([^"]+)"/.exec(IMAGE)?.[1];
  const shared = ' ENTITLEMENT_DIR=/var/lib/kong-entitlements';
  expect(setting('PLUGINSERVER_JS_START_CMD').replace(shared, '')).toBe(imageStart);
  expect(setting('PLUGINSERVER_ENFORCEMENT_START_CMD')).toContain(shared);
  expect(IMAGE).toContain(`/opt/kong-js-plugins/${Name}\n`);
  expect(IMAGE).toMatch(/install .* \/var\/lib\/kong-entitlements \\$/m);
  for (const volume of services.kong.volumes) {
    const [from = ''] = volume.split(':');
    expect(from.startsWith('.') ? existsSync(from) : from in volumes, volume).toBe(true);
  }
  const example = readFileSync('.env.example', 'utf8');
  expect(environment['DECK_ENTITLEMENT_ACCESS_API_TOKEN']).toMatch(/^\$\{ENFORCEMENT_TOKEN:\?/);
  expect(example).toContain('ENFORCEMENT_TOKEN=');
});

test('the query command describes the plugin in the protocol that the start command serves', async () => {
  const [program, args] = commandHere('PLUGINSERVER_ENFORCEMENT_QUERY_CMD');
  const { code, stdout, stderr } = run(program, args, { env: {}, cwd: '/' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // Over MsgPack:1 it is a list.
  expect(JSON.parse(stdout)).toMatchObject([{ Name, Phases: ['access'], Priority: 920 }]);

  const folder = mkdtempSync(join(tmpdir(), 'kong-prefix-'));
  const [start, startArgs] = commandHere('PLUGINSERVER_ENFORCEMENT_START_CMD', folder);
  const server = spawn(start, startArgs, { env: {}, cwd: '/', stdio: 'ignore' });
  onTestFinished(() => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const socket = setting('PLUGINSERVER_ENFORCEMENT_SOCKET').replace('/kong_prefix', folder);
  const canConnect = () =>
    new Promise<boolean>((settle) => {
      const connection = createConnection(socket, () => settle(true));
      connection.once('error', () => settle(false)).once('connect', () => connection.destroy());
    });
  await expect.poll(canConnect).toBe(true);
});

test('Docker Compose accepts both files together', ({ skip }) => {
  const files = ['--file', 'docker-compose.yml', '--file', 'docker-compose.enforcement.yml'];
  const args = ['--project-directory', resolve('.'), ...files, 'config'];
  const env = plainEnv({ ADMIN_TOKEN: 'a', INGEST_TOKEN: 'i', ENFORCEMENT_TOKEN: 'v' });
  const isPlugin = findCommand('docker') !== undefined && run('docker', ['compose', 'version'], { env }).code === 0;
  skip(!isPlugin && findCommand('docker-compose') === undefined, 'Docker Compose is not installed');
  const config = isPlugin ? run('docker', ['compose', ...args], { env }) : run('docker-compose', args, { env });
  expect(config.code, config.stderr).toBe(0);
  const { kong } = (parse(config.stdout) as { services: { kong: typeof services.kong } }).services;
  expect(kong.environment).toMatchObject({ DECK_AUTH_TOKEN: 'i', DECK_ENTITLEMENT_ACCESS_API_TOKEN: 'v' });
  const mounts = JSON.stringify(kong.volumes);
  expect(mounts).toContain('kong-enforcement.yml');
  expect(mounts).not.toContain(resolve('kong.yml'));
});
