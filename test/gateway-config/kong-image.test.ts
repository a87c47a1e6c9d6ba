import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Name } from '../../plugin/metering-and-billing/index.ts';
import { run } from '../support/programs.ts';

const DOCKERFILE = readFileSync('docker/kong/Dockerfile', 'utf8');

/** The settings of Kong that the image brings. */
const SETTINGS = Object.fromEntries(
  [...DOCKERFILE.matchAll(/^(?:ENV| {3}) (KONG_\w+)=(?:"([^"]+)"|(\S+))(?: \\)?$/gm)].map(
    ([, name = '', quoted, bare = '']) => [name, quoted ?? bare],
  ),
);

/** Where the files of the image stand in this project. */
const HERE = {
  '/usr/local/bin/node': process.execPath,
  '/opt/kong-plugin-server': resolve('dist/plugin-server'),
  '/opt/kong-js-plugins': resolve('dist/plugin'),
};

function setting(name: string): string {
  const value = SETTINGS[name];
  if (value === undefined) throw new Error(`docker/kong/Dockerfile does not set ${name}`);
  return value;
}

/** A command of the image, as program and arguments that run here. */
function commandHere(name: string, places: Readonly<Record<string, string>> = HERE): [string, string[]] {
  let command = setting(name);
  for (const [inImage, here] of Object.entries(places)) command = command.replaceAll(inImage, here);
  const [program = '', ...args] = command.split(' ');
  return [program, args];
}

test('Kong loads the bundled plugins and ours, from one plugin server with a socket in its prefix', () => {
  expect(SETTINGS).toMatchObject({ KONG_PLUGINS: `bundled,${Name}`, KONG_PLUGINSERVER_NAMES: 'js' });
  expect(setting('KONG_PLUGINSERVER_JS_SOCKET')).toBe(`${setting('KONG_PREFIX')}/js_pluginserver.sock`);
});

test('every file that a command names is copied into the image', () => {
  const copied = [...DOCKERFILE.matchAll(/^COPY .* (\/\S+)$/gm)].map((match) => match[1] ?? '');
  for (const name of ['KONG_PLUGINSERVER_JS_START_CMD', 'KONG_PLUGINSERVER_JS_QUERY_CMD']) {
    const paths = setting(name).match(/(?<= |^)\/(?:usr\/local|opt)\S+/g) ?? [];
    expect(paths).toHaveLength(3);
    for (const path of paths) expect(copied.some((place) => path.startsWith(place))).toBe(true);
  }
});

test('events that wait are kept in a volume that belongs to the user of the image', () => {
  const dir = /METERING_SPOOL_DIR=(\S+)/.exec(setting('KONG_PLUGINSERVER_JS_START_CMD'))?.[1] ?? '';
  expect(dir.startsWith(setting('KONG_PREFIX'))).toBe(false);
  expect(DOCKERFILE).toMatch(new RegExp(`install --directory --owner=kong --group=0 --mode=0770 ${dir}$`, 'm'));
  expect(DOCKERFILE).toMatch(new RegExp(`^VOLUME ${dir}$`, 'm'));
});

test('the query command writes one line of JSON and nothing else, without any environment', () => {
  const [program, args] = commandHere('KONG_PLUGINSERVER_JS_QUERY_CMD');
  const { code, stdout, stderr } = run(program, args, { env: {}, cwd: '/' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toHaveLength(2);
  expect(JSON.parse(stdout)).toMatchObject({
    Protocol: 'ProtoBuf:1',
    Plugins: [{ Name, Phases: ['log'], Priority: 16 }],
  });
});

test('the start command listens on the socket that Kong connects to, without any environment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kong-prefix-'));
  const places = { ...HERE, [setting('KONG_PREFIX')]: folder };
  const [program, args] = commandHere('KONG_PLUGINSERVER_JS_START_CMD', places);
  const server = spawn(program, args, { env: {}, cwd: '/', stdio: 'ignore' });
  onTestFinished(() => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const socket = setting('KONG_PLUGINSERVER_JS_SOCKET').replace(setting('KONG_PREFIX'), folder);
  await expect.poll(() => canConnect(socket), { timeout: 30_000 }).toBe(true);
});

test('only what the Dockerfiles copy gets into a build', () => {
  const allowed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(allowed[0]).toBe('*');
  const folders = allowed.slice(1).map((line) => line.replace('!', ''));
  for (const file of ['docker/kong/Dockerfile', 'docker/backend/Dockerfile']) {
    const copies = [...readFileSync(file, 'utf8').matchAll(/^COPY (?!--from)(.*) \S+$/gm)];
    const sources = copies.flatMap((match) => match[1]?.split(' ') ?? []);
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(folders).toContain(source.split('/', 1)[0]);
  }
});

function canConnect(path: string): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  const socket = createConnection(path);
  socket.once('error', () => settle(false));
  socket.once('connect', () => {
    socket.destroy();
    settle(true);
  });
  return promise;
}
