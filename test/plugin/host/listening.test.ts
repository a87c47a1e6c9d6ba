import { readFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProtobufProtocol, type PluginServer, startPluginServer } from '../../gateway-player/index.ts';
import { callFrame } from './support/frames.ts';
import { ECHO, PREFETCHING_ECHO, type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';
import { openRawConnection } from './support/raw-connection.ts';

let folder: TemporaryFolder;
let socketPath: string;
const running: PluginServer[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  socketPath = join(folder.path, 'kong.sock');
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.kill();
  await folder.remove();
});

async function start(source: string, workers = 1): Promise<PluginServer> {
  const pluginDir = await writePlugin(folder, 'echo', source);
  const server = await startPluginServer({ pluginDir, socketPath, workers });
  running.push(server);
  return server;
}

const entriesOf = (server: PluginServer): string[] =>
  [...server.stderr().matchAll(/<\S+ (.*)>/g)].map(([, entry]) => entry ?? '');

describe('a second server on the same path', () => {
  test.each([1, 2])(
    'leaves no gap, and the first keeps its connections until they end: %i workers',
    async (workers) => {
      const first = await start(PREFETCHING_ECHO, workers);
      const kong = createProtobufProtocol(socketPath, 1);
      const instance = await kong.startInstance('echo', { say: 'old' });

      let isOver = false;
      let connects = 0;
      const oneAfterTheOther = async (): Promise<void> => {
        for (; !isOver; connects++) {
          const connection = await openRawConnection(socketPath);
          connection.write(callFrame(1, 'cmd_get_plugin_names', {}));
          await connection.received(1);
          connection.close();
        }
      };
      const load = Promise.all(Array.from({ length: 8 }, oneAfterTheOther));
      const second = await start(PREFETCHING_ECHO, workers);
      const connectsSoFar = connects;
      await expect.poll(() => connects).toBeGreaterThan(connectsSoFar + 10);

      // Over the connection that it has, to the server that knows the instance.
      await kong.handleEvent(instance, 'log', () => 'through the old connection');
      await expect.poll(() => entriesOf(first)).toEqual(['through the old connection']);
      const successor = createProtobufProtocol(socketPath, 1);
      await expect(successor.handleEvent(instance, 'log', () => 'lost')).rejects.toThrow(/^no plugin instance #/);
      const next = await successor.startInstance('echo', { say: 'new' });
      await successor.handleEvent(next, 'log', () => 'through a new connection');
      await expect.poll(() => entriesOf(second)).toEqual(['through a new connection']);

      expect(await first.terminate()).toEqual({ code: 0, signal: null });
      const connectsAtTheEnd = connects;
      await expect.poll(() => connects).toBeGreaterThan(connectsAtTheEnd + 10);
      isOver = true;
      // One failed connect would reject.
      await load;
      await successor.handleEvent(next, 'log', () => 'after the first is gone');
      kong.close();
      successor.close();
      expect(await second.terminate()).toEqual({ code: 0, signal: null });
      expect((await readdir(folder.path)).filter((name) => !name.endsWith('.cjs'))).toEqual([]);
    },
  );

  test('takes the place of one that was killed', async () => {
    const first = await start(ECHO);
    await first.kill();
    expect((await lstat(socketPath)).isSocket()).toBe(true);
    await start(ECHO);
    const kong = createProtobufProtocol(socketPath, 1);
    await kong.startInstance('echo', {});
    kong.close();
  });
});

/** The kernel's bound; a machine may have it lower than the test needs. */
const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
const MORE_THAN_BY_DEFAULT = 1000;

describe('the backlog', () => {
  test.skipIf(somaxconn <= MORE_THAN_BY_DEFAULT)('holds more than 511 connections while nobody accepts', async () => {
    const server = await start(PREFETCHING_ECHO);
    process.kill(server.pid, 'SIGSTOP');
    const opened = Array.from({ length: MORE_THAN_BY_DEFAULT }, () => openRawConnection(socketPath));
    const connections = await Promise.all(opened).finally(() => process.kill(server.pid, 'SIGCONT'));
    for (const connection of connections) connection.close();
    const kong = createProtobufProtocol(socketPath, 1);
    await kong.startInstance('echo', {});
    kong.close();
  });
});
