import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createProtobufProtocol,
  PLUGIN_SERVER,
  type PluginServerProtocol,
  startPluginServer,
} from '../../gateway-player/index.ts';
import { eventFrame, textFrame } from './support/frames.ts';
import { ECHO, PREFETCHING_ECHO, type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';
import { openRawConnection } from './support/raw-connection.ts';

/** Flushes on SIGTERM as a delivery does: not at once, with its own exit code, and with nothing taken from then on. */
const FLUSHING = `
const held = [];
let isOver = false;
exports.Name = 'flushing';
exports.Plugin = class {
  async log(kong) { const entry = await kong.log.serialize(); held.push(isOver ? 'late ' + entry : entry); }
};
process.HOW('SIGTERM', () => {
  isOver = true;
  setTimeout(() => { process.stderr.write('flushed ' + held.join() + '\\n', () => process.exit(7)); }, 20);
});`;

let folder: TemporaryFolder;
let socketPath: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  socketPath = join(folder.path, 'kong.sock');
});

afterEach(() => folder.remove());

const socketsLeft = async (): Promise<string[]> =>
  (await readdir(folder.path)).filter((name) => !name.endsWith('.cjs'));

describe('SIGTERM', () => {
  test.each([
    ['on', 'made by the plugin', ''],
    ['once', 'made by the plugin', ''],
    ['on', 'made in advance', "exports.Prefetch = { log: ['kong.log.serialize'] };"],
  ])('lets an event arrive before the plugin flushes: handler by %s, calls %s', async (how, _calls, more) => {
    const pluginDir = await writePlugin(folder, 'flushing', FLUSHING.replace('HOW', how) + more);
    const server = await startPluginServer({ pluginDir, socketPath });
    const kong = createProtobufProtocol(socketPath, 1);
    const instance = await kong.startInstance('flushing', {});
    const busy = await openRawConnection(socketPath);
    busy.write(eventFrame(3, instance));
    await busy.received(2);
    // It gets the signal and what has arrived before it at the same time, however busy the machine is.
    process.kill(server.pid, 'SIGSTOP');
    await busy.flush(textFrame('entry'));
    const ended = server.terminate();
    process.kill(server.pid, 'SIGCONT');
    await busy.received(4);
    await busy.closed;
    expect(await ended).toEqual({ code: 7, signal: null });
    expect(server.stderr()).toContain('flushed entry\n');
    expect(await socketsLeft()).toEqual([]);
    kong.close();
  });

  test('does not wait for what does not end', async () => {
    const pluginDir = await writePlugin(folder, 'flushing', FLUSHING.replace('HOW', 'on'));
    const server = await startPluginServer({ pluginDir, socketPath });
    const kong = createProtobufProtocol(socketPath, 1);
    const busy = await openRawConnection(socketPath);
    busy.write(eventFrame(3, await kong.startInstance('flushing', {})));
    await busy.received(2);
    expect(await server.terminate()).toEqual({ code: 7, signal: null });
    expect(server.stderr()).toContain('flushed \n');
    kong.close();
  });

  test.each([1, 2])('ends a plugin that does nothing on it with 0, %i workers', async (workers) => {
    const pluginDir = await writePlugin(folder, 'echo', `setInterval(() => 0, 1000); ${ECHO}`);
    const server = await startPluginServer({ pluginDir, socketPath, workers });
    const idle = await openRawConnection(socketPath);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    await idle.closed;
    expect(await socketsLeft()).toEqual([]);
  });

  test('lets all workers flush', async () => {
    const pluginDir = await writePlugin(folder, 'flushing', FLUSHING.replace('HOW', 'on'));
    const server = await startPluginServer({ pluginDir, socketPath, workers: 2 });
    const kong = createProtobufProtocol(socketPath, 2);
    const instance = await kong.startInstance('flushing', {});
    await Promise.all(['a', 'b'].map((entry) => kong.handleEvent(instance, 'log', () => entry)));
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    const flushed = [...server.stderr().matchAll(/flushed (.*)\n/g)].map(([, entries]) => entries);
    expect(flushed.sort()).toEqual(['a', 'b']);
    kong.close();
  });
});

interface Orphan {
  /** Of the server. */
  readonly pid: number;
  /** Kills its parent. */
  kill(): void;
  /** All that it wrote, once it is gone. */
  readonly end: Promise<string>;
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);

describe('without its parent the server ends, and flushes', () => {
  /** Starts the server as a child of a process that can be killed alone; resolves when it listens. */
  async function startOrphan(stdin: 'pipe' | 'ignore', workers: string, path = socketPath): Promise<Orphan> {
    const pluginDir = await writePlugin(folder, 'flushing', FLUSHING.replace('HOW', 'on'));
    const args = JSON.stringify([PLUGIN_SERVER, '--plugin', pluginDir, '--socket', path, '--workers', workers]);
    const script = `require('node:child_process').spawn(process.execPath, ${args}, { stdio: ['${stdin}', 1, 2] })`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let written = '';
    const { promise: listens, resolve } = Promise.withResolvers<void>();
    parent.stderr.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      if (written.includes('the plugin server listens')) resolve();
    });
    // Both hold the pipe: it ends when the last of them is gone.
    const { promise: end, resolve: ended } = Promise.withResolvers<string>();
    parent.stderr.on('close', () => ended(written));
    await listens;
    const [pid = 0] = childrenOf(parent.pid ?? 0);
    return { pid, kill: () => void parent.kill('SIGKILL'), end };
  }

  test('since its standard input ends, or since it has another parent; alone or with its workers', async () => {
    const cases = [
      ['pipe', '1'],
      ['ignore', '1'],
      ['pipe', '2'],
    ] as const;
    const orphans = await Promise.all(
      cases.map(([stdin, workers], index) => startOrphan(stdin, workers, `${socketPath}-${index}`)),
    );
    for (const orphan of orphans) orphan.kill();
    const written = await Promise.all(orphans.map(({ end }) => end));
    expect(written.map((text) => text.match(/flushed/g)?.length)).toEqual([1, 1, 2]);
    expect(await socketsLeft()).toEqual([]);
  });

  test.each([
    ['1', 'pipe'],
    ['2', 'pipe'],
    ['1', 'ignore'],
  ] as const)(
    'but not before another has taken its place, while Kong uses it: %s workers, standard input %s',
    async (workers, stdin) => {
      const orphan = await startOrphan(stdin, workers);
      const parent = parentOf(orphan.pid);
      const kong = createProtobufProtocol(socketPath, 1);
      const instance = await kong.startInstance('flushing', {});
      orphan.kill();
      await expect.poll(() => parentOf(orphan.pid)).not.toBe(parent);
      for (let event = 0; event < 20; event++) await kong.handleEvent(instance, 'log', () => `entry ${event}`);
      const other = createProtobufProtocol(socketPath, 1);
      await other.handleEvent(instance, 'log', () => 'entry 20');

      const pluginDir = join(folder.path, 'flushing.cjs');
      const successor = await startPluginServer({ pluginDir, socketPath });
      // An idle connection that is closed may be in use at that moment: each is closed in place of its next event.
      let answered = 21;
      let closed = 0;
      let isOver = false;
      const end = orphan.end.finally(() => {
        isOver = true;
      });
      const use = (line: PluginServerProtocol): Promise<void> =>
        line
          .handleEvent(instance, 'log', () => `entry ${answered}`)
          .then(
            () => void answered++,
            // Kong begins the event anew: over its next connection, by the successor, which does not know the instance.
            (error: unknown) => {
              if (String(error).includes('it closed the connection')) closed++;
              else expect(String(error)).toContain('no plugin instance');
            },
          );
      while (!isOver) for (const line of [kong, other]) await use(line);
      expect((await end).match(/entry \d+/g)).toHaveLength(answered);
      expect(closed).toBe(2);
      const next = createProtobufProtocol(socketPath, 1);
      await next.startInstance('flushing', {});
      for (const { close } of [kong, other, next]) close();
      await successor.terminate();
    },
  );

  test('also when the first of several processes is killed', async () => {
    const pluginDir = await writePlugin(folder, 'flushing', FLUSHING.replace('HOW', 'on'));
    const server = await startPluginServer({ pluginDir, socketPath, workers: 2 });
    // As Kong does when a plugin server has not ended some 50 ms after SIGTERM. The workers hold its pipes.
    process.kill(server.pid, 'SIGKILL');
    // Until then they are who Kong connects to.
    const successor = await startPluginServer({ pluginDir, socketPath });
    await server.exited;
    expect(server.stderr().match(/flushed/g)).toHaveLength(2);
    await successor.terminate();
  });

  test('but not when its standard input is no pipe', async () => {
    const pluginDir = await writePlugin(folder, 'echo', PREFETCHING_ECHO);
    const args = [PLUGIN_SERVER, '--plugin', pluginDir, '--socket', socketPath];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise((resolve) => child.stderr.once('data', resolve));
    const kong = createProtobufProtocol(socketPath, 1);
    const instance = await kong.startInstance('echo', { say: 'here' });
    await kong.handleEvent(instance, 'log', () => 'entry');
    kong.close();
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});

describe('a plugin that fails on the way', () => {
  test('ends neither the server nor its own events', async () => {
    const source = `exports.Name = 'loose'; exports.Plugin = class {
      async log(kong) { void Promise.reject(new TypeError('the secret')); process.stderr.write('<' + await kong.log.serialize() + '>'); }
    };`;
    const server = await startPluginServer({ pluginDir: await writePlugin(folder, 'loose', source), socketPath });
    const kong = createProtobufProtocol(socketPath, 1);
    const instance = await kong.startInstance('loose', {});
    for (const entry of ['a', 'b']) await kong.handleEvent(instance, 'log', () => entry);
    kong.close();
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    expect(server.stderr()).toContain('<a><b>');
    expect(server.stderr()).toContain('a promise was rejected, and nobody cared');
    expect(server.stderr()).not.toContain('secret');
  });
});
