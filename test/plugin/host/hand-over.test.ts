import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createProtobufProtocol,
  type KongWorker,
  PLUGIN_SERVER,
  startKongWorker,
  startPluginServer,
} from '../../gateway-player/index.ts';
import { callFrame, eventFrame, textFrame } from './support/frames.ts';
import { type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';
import { openRawConnection } from './support/raw-connection.ts';

/** Stores its events as a delivery does: in a file, before Kong is told. */
const STORING = `
const { appendFileSync } = require('node:fs');
let taken = [];
exports.Name = 'storing';
exports.Plugin = class {
  constructor(config) { this.file = config.file; }
  async log(kong) { taken.push([this.file, await kong.log.serialize()]); }
};
exports.Prefetch = { log: ['kong.log.serialize'] };
exports.settle = () => { for (const [file, entry] of taken.splice(0)) appendFileSync(file, entry + '\\n'); };`;

let folder: TemporaryFolder;
let socketPath: string;
let pluginPath: string;
const launchers: ChildProcess[] = [];
let kong: KongWorker;

beforeEach(async () => {
  folder = await temporaryFolder();
  socketPath = join(folder.path, 'kong.sock');
  pluginPath = await writePlugin(folder, 'storing', STORING);
  kong = startKongWorker(socketPath, 'storing', { file: join(folder.path, 'events') });
});

afterEach(async () => {
  kong.close();
  for (const launcher of launchers.splice(0)) launcher.kill('SIGKILL');
  for (const pid of await serverPids()) process.kill(pid, 'SIGKILL');
  await folder.remove();
});

/** As Kong starts its plugin server. */
function launch(env: Readonly<Record<string, string>> = {}): ChildProcess {
  const args = [PLUGIN_SERVER, '--plugin', pluginPath, '--socket', socketPath, '--managed'];
  const launcher = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  launchers.push(launcher);
  return launcher;
}

/** Resolves when the launcher says so. */
function says(launcher: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve) => {
    let written = '';
    launcher.stderr?.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      if (written.includes(what)) resolve();
    });
  });
}

/** As Kong ends its plugin server. */
async function terminate(launcher: ChildProcess): Promise<void> {
  const gone = once(launcher, 'exit');
  launcher.kill('SIGTERM');
  await gone;
}

/** The processes of our socket without the launchers: `first`, or those that serve. */
async function serverPids(role?: 'first' | 'serving'): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const isOurs = args.includes(socketPath) && args.includes('--as-') && readlinkSync(`/proc/${name}/exe`) !== '';
      const isServing = args.includes('--as-worker');
      if (isOurs && (role === undefined || isServing === (role === 'serving'))) found.push(Number(name));
    } catch {
      // It has just ended.
    }
  }
  return found;
}

const stored = (): string[] => readFileSync(join(folder.path, 'events'), 'utf8').trim().split('\n');

/** Requests one after the other over several lines, until told to stop; resolves with how many were lost. */
function startRequests(): { stop(): Promise<{ readonly sent: number; readonly lost: readonly string[] }> } {
  let isStopped = false;
  let sent = 0;
  const line = async (): Promise<void> => {
    while (!isStopped) await kong.log(`entry ${++sent}`);
  };
  const running = Array.from({ length: 4 }, line);
  return {
    async stop() {
      isStopped = true;
      await Promise.all(running);
      const have = new Set(stored());
      const lost = Array.from({ length: sent }, (_, index) => `entry ${index + 1}`).filter((entry) => !have.has(entry));
      return { sent, lost };
    },
  };
}

/** Events flow. */
async function someRequests(): Promise<void> {
  for (let count = 0; count < 20; count++) await kong.log('other');
}

describe('a reload in which the next plugin server starts after the last one has ended', () => {
  test('loses every event of the gap, when the server is one that ends with Kong', async () => {
    const before = await startPluginServer({ pluginDir: pluginPath, socketPath });
    expect(await kong.log('entry 1')).toBe('logged');
    await before.terminate();
    expect([await kong.log('entry 2'), await kong.log('entry 3')]).toEqual(['lost', 'lost']);
    const after = await startPluginServer({ pluginDir: pluginPath, socketPath });
    expect(await kong.log('entry 4')).toBe('logged');
    expect(stored()).toEqual(['entry 1', 'entry 4']);
    await after.terminate();
  });

  test('loses nothing when it is a launcher: the server lives on, and is used by the next one', async () => {
    const first = launch();
    await says(first, 'the plugin server listens');
    const requests = startRequests();
    const [pid] = await serverPids('first');
    await terminate(first);
    await someRequests();
    const next = launch();
    await says(next, 'the plugin server lives on and is used');
    await someRequests();
    expect(await serverPids('first')).toEqual([pid]);
    expect(await requests.stop()).toMatchObject({ lost: [] });
    expect(kong.errors).toEqual([]);
  });

  test('loses nothing when the next one has other settings: its server takes the socket over, and the old one ends', async () => {
    await says(launch(), 'the plugin server listens');
    const [old] = await serverPids('first');
    const requests = startRequests();
    await says(launch({ METERING_NODE: 'another' }), 'the plugin server listens');
    await expect.poll(() => serverPids('first')).not.toContain(old);
    expect(await requests.stop()).toMatchObject({ lost: [] });
    expect(kong.errors).toEqual([]);
  });
});

test.each([
  ['is killed', 'SIGKILL'],
  ['hangs', 'SIGSTOP'],
] as const)('a process that %s before it can serve is replaced, and the server goes on', async (_what, signal) => {
  const mayLoad = join(folder.path, 'may-load');
  const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)';
  const slow = `while (!require('node:fs').existsSync(${JSON.stringify(mayLoad)})) ${wait};`;
  pluginPath = await writePlugin(folder, 'storing', slow + STORING);
  const listens = says(launch(), 'the plugin server listens');
  await expect.poll(async () => (await serverPids('serving')).length).toBe(1);
  const [[first], [victim = 0]] = [await serverPids('first'), await serverPids('serving')];
  process.kill(victim, signal);
  const others = async () => (await serverPids('serving')).filter((pid) => pid !== victim);
  await expect.poll(async () => (await others()).length, { timeout: 60_000 }).toBe(1);
  writeFileSync(mayLoad, '');
  await listens;
  expect(await serverPids('first')).toEqual([first]);
  expect(await kong.log('entry')).toBe('logged');
});

describe('a SIGKILL under load loses nothing', () => {
  test.each(['serving', 'first'] as const)('of the %s process', async (role) => {
    await says(launch(), 'the plugin server listens');
    const requests = startRequests();
    for (let round = 0; round < 3; round++) {
      await someRequests();
      const [pid = 0] = await serverPids(role);
      process.kill(pid, 'SIGKILL');
      await expect.poll(async () => (await serverPids(role)).filter((other) => other !== pid).length).toBe(1);
      await someRequests();
    }
    expect(await requests.stop()).toMatchObject({ lost: [] });
    expect(kong.errors).toEqual([]);
  });

  test('a process that hangs is killed by the other one, and nothing is lost', async () => {
    await says(launch(), 'the plugin server listens');
    const requests = startRequests();
    await someRequests();
    const [pid = 0] = await serverPids('serving');
    process.kill(pid, 'SIGSTOP');
    await expect.poll(() => serverPids('serving')).not.toContain(pid);
    await someRequests();
    expect(await requests.stop()).toMatchObject({ lost: [] });
  });
});

test('a SIGKILL of the first process while the other one is too busy to take connections loses none of those that wait', async () => {
  // Without anybody who would start another one in its place.
  const server = await startPluginServer({ pluginDir: pluginPath, socketPath, workers: 1 });
  const protocol = createProtobufProtocol(socketPath, 1);
  const instance = await protocol.startInstance('storing', { file: join(folder.path, 'events') });
  const [serving = 0] = await serverPids('serving');
  process.kill(serving, 'SIGSTOP');
  const connections = await Promise.all(Array.from({ length: 40 }, () => openRawConnection(socketPath)));
  for (const [index, connection] of connections.entries()) {
    // Kong has told of some events, and is about to with the others.
    if (index % 2 === 0) await connection.flush(eventFrame(index, instance));
  }
  await expect.poll(() => isAsleep(server.pid)).toBe(true);
  process.kill(server.pid, 'SIGKILL');
  process.kill(serving, 'SIGCONT');
  for (const [index, connection] of connections.entries()) {
    if (index % 2 === 1) connection.write(eventFrame(index, instance));
    connection.write(textFrame(`entry ${index}`));
    await connection.received(4);
    connection.close();
  }
  expect(stored().sort()).toEqual(connections.map((_, index) => `entry ${index}`).sort());
  protocol.close();
});

/** Whether a process has done all that it can, and waits. */
function isAsleep(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('S') === true;
}

test('for a process that does not take connections over, the first one takes them in, before the system refuses more', async () => {
  const server = await startPluginServer({ pluginDir: pluginPath, socketPath, workers: 1 });
  const [serving = 0] = await serverPids('serving');
  const filesOpen = async (): Promise<number> => (await readdir(`/proc/${server.pid}/fd`)).length;
  const before = await filesOpen();
  process.kill(serving, 'SIGSTOP');
  const connections = await Promise.all(Array.from({ length: 40 }, () => openRawConnection(socketPath)));
  await expect.poll(filesOpen).toBeGreaterThanOrEqual(before + 38);
  // The next process has them as soon as this one has been killed, which the first does by itself.
  for (const connection of connections) {
    connection.write(callFrame(1, 'cmd_get_plugin_names', {}));
    await connection.received(1);
    connection.close();
  }
});

test('under socket activation what connects before the server runs waits for it', async () => {
  // As systemd does: the socket is there first, and the server gets it as its third descriptor. Blocked, this process
  // accepts nothing itself.
  const command = [PLUGIN_SERVER, '--plugin', pluginPath, '--socket', socketPath, '--workers', '1'];
  const script = `
    const server = require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => {
      const sh = ['-c', 'sleep 1; exec env LISTEN_FDS=1 LISTEN_PID=$$ "$@"', 'sh', process.execPath];
      const stdio = ['ignore', 'ignore', 2, server._handle.fd];
      require('node:child_process').spawn('/bin/sh', [...sh, ...${JSON.stringify(command)}], { stdio });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  launchers.push(parent);
  const listens = says(parent, 'the plugin server listens');
  await expect.poll(() => existsSync(socketPath)).toBe(true);
  expect(await kong.log('entry 1')).toBe('logged');
  expect(stored()).toEqual(['entry 1']);
  await listens;
});

test('a folder that may not be written to is said in a sentence', async () => {
  chmodSync(folder.path, 0o555);
  // Root may write everywhere.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
  const args = [PLUGIN_SERVER, '--plugin', pluginPath, '--socket', socketPath, '--managed'];
  const launcher = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], ...nobody });
  launchers.push(launcher);
  const exited = once(launcher, 'exit');
  await says(launcher, 'nothing is metered until it may');
  expect(await exited).toEqual([1, null]);
  chmodSync(folder.path, 0o700);
});
