import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  connectProtobufPlayer,
  createProtobufProtocol,
  type PluginServer,
  startPluginServer,
} from '../../gateway-player/index.ts';
import { type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';

/** Tells which configuration got which entry, how long it was, and whether the ends are where they should be. */
const MEASURE = `
exports.Name = 'measure';
exports.Plugin = class {
  constructor({ say }) { this.say = say; }
  async log(kong) {
    const entry = await kong.log.serialize();
    process.stderr.write('<' + [this.say, entry.slice(0, 12), entry.length].join(' ') + '>\\n');
  }
};`;

const KINDS = [
  ['made by the plugin', MEASURE],
  ['made in advance', `${MEASURE} exports.Prefetch = { log: ['kong.log.serialize'] };`],
] as const;

let folder: TemporaryFolder;
let server: PluginServer;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await server.kill();
  await folder.remove();
});

describe.each(KINDS)('with calls %s', (_how, source) => {
  const linesWritten = (): string[] =>
    server
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('<'));

  test('64 connections carry their events side by side', async () => {
    server = await startPluginServer({ pluginDir: await writePlugin(folder, 'measure', source) });
    const player = connectProtobufPlayer(server.socketPath, { connections: 64 });
    const instances = await Promise.all(['a', 'b', 'c'].map((say) => player.startInstance('measure', { say })));
    const events = Array.from({ length: 2000 }, (_, number) => String(1_000_000 + number));
    const played = await Promise.all(
      events.map((entry, number) => player.logRequest(instances[number % 3] ?? 0, `${entry}${'x'.repeat(number)}`)),
    );
    expect(played).toEqual(events.map(() => ({ pdkCalls: 1 })));
    const expected = events.map((entry, number) => {
      const logged = `${entry}${'x'.repeat(number)}`;
      return `<${'abc'[number % 3]} ${logged.slice(0, 12)} ${logged.length}>`;
    });
    await expect.poll(() => linesWritten().length).toBe(2000);
    expect(linesWritten().sort()).toEqual(expected.sort());
    player.close();
  });

  test('an entry may be as long as a conversation', async () => {
    server = await startPluginServer({ pluginDir: await writePlugin(folder, 'measure', source) });
    const player = connectProtobufPlayer(server.socketPath, { connections: 4 });
    const instance = await player.startInstance('measure', { say: 'long' });
    // One byte in UTF-8, two, three and four.
    const entries = ['x', 'é', '€', '😀'].map((letter) => letter.repeat(900_000));
    await Promise.all(entries.map((entry) => player.logRequest(instance, entry)));
    await expect.poll(() => linesWritten().length).toBe(4);
    expect(
      linesWritten()
        .map((line) => line.split(' ').at(-1))
        .sort(),
    ).toEqual(['1800000>', '900000>', '900000>', '900000>']);
    player.close();
  });

  test('a changed configuration holds for the events that come after it', async () => {
    server = await startPluginServer({ pluginDir: await writePlugin(folder, 'measure', source) });
    const kong = createProtobufProtocol(server.socketPath, 4);
    const before = await kong.startInstance('measure', { say: 'before' });
    await kong.handleEvent(before, 'log', () => 'one');
    const after = await kong.startInstance('measure', { say: 'after' });
    await kong.handleEvent(before, 'log', () => 'two');
    await kong.closeInstance(before);
    await kong.handleEvent(after, 'log', () => 'three');
    await expect(kong.handleEvent(before, 'log', () => 'lost')).rejects.toThrow(`no plugin instance #${before}`);
    await expect(kong.closeInstance(before)).rejects.toThrow(/^no plugin instance/);
    await expect.poll(linesWritten).toEqual(['<before one 3>', '<before two 3>', '<after three 5>']);
    kong.close();
  });

  test('the ids of a server that was killed mean nothing to the next one', async () => {
    const pluginDir = await writePlugin(folder, 'measure', source);
    const socketPath = join(folder.path, 'kong.sock');
    server = await startPluginServer({ pluginDir, socketPath });
    const kong = createProtobufProtocol(socketPath, 4);
    const stale: number[] = [];
    for (let count = 0; count < 20; count++) stale.push(await kong.startInstance('measure', { say: 'alice' }));
    await server.kill();
    server = await startPluginServer({ pluginDir, socketPath });
    for (let count = 0; count < 20; count++) await kong.startInstance('measure', { say: 'bob' });
    for (const id of stale) {
      await expect(kong.handleEvent(id, 'log', () => "alice's")).rejects.toThrow(`no plugin instance #${id}`);
    }
    expect(linesWritten()).toEqual([]);
    kong.close();
  });
});
