import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectProtobufPlayer, type Player, type PluginServer, startPluginServer } from './index.ts';
import { decodeMessage, encodeMessage } from './protobuf-messages.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'protobuf-player-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('the player, with a plugin server', () => {
  const PROBE = `
exports.Name = 'probe';
exports.Plugin = class {
  constructor(config) { this.config = config; if (config.fail) throw new Error('no'); }
  async log(kong) {
    if (this.config.hang) await kong.client.getConsumer();
    if (this.config.die) process.exit(3);
    for (let call = 0; call < this.config.calls; call++) process.stderr.write(await kong.log.serialize() + ';');
  }
};`;
  let server: PluginServer;
  let player: Player;

  beforeAll(async () => {
    const pluginDir = join(folder, 'probe.cjs');
    await writeFile(pluginDir, PROBE);
    server = await startPluginServer({ pluginDir });
    player = connectProtobufPlayer(server.socketPath, { connections: 2 });
  });

  afterAll(async () => {
    player.close();
    await server.kill();
  });

  test('answers kong.log.serialize as often as it is called, and counts', async () => {
    expect(await player.logRequest(await player.startInstance('probe', { calls: 3 }), 'entry')).toEqual({
      pdkCalls: 3,
    });
    expect(await player.logRequest(await player.startInstance('probe', {}), 'entry')).toEqual({ pdkCalls: 0 });
    await expect.poll(() => server.stderr()).toContain('entry;entry;entry;');
  });

  test('fails on a call that it does not answer in the log phase', async () => {
    const instance = await player.startInstance('probe', { hang: true });
    await expect(player.logRequest(instance, 'entry')).rejects.toThrow(
      'the plugin called kong.client.get_consumer in the log phase; Kong might never answer that',
    );
  });

  test('passes on what the server says', async () => {
    await expect(player.logRequest(9999, 'entry')).rejects.toThrow(/^no plugin instance #9999$/);
    await expect(player.startInstance('absent', {})).rejects.toThrow('it closed the connection');
    await expect(player.startInstance('probe', { fail: true })).rejects.toThrow('it closed the connection');
    const closed = await player.startInstance('probe', {});
    await player.closeInstance(closed);
    await expect(player.closeInstance(closed)).rejects.toThrow(/^no plugin instance/);
  });

  test('has as many events under way as it has connections, and the rest wait', async () => {
    const instance = await player.startInstance('probe', { calls: 1 });
    expect(await Promise.all(Array.from({ length: 50 }, () => player.logRequest(instance, 'x')))).toHaveLength(50);
  });

  test('fails an event whose server dies', async () => {
    const dying = await startPluginServer({ pluginDir: join(folder, 'probe.cjs') });
    const other = connectProtobufPlayer(dying.socketPath, { connections: 1 });
    await expect(other.logRequest(await other.startInstance('probe', { die: true }), 'entry')).rejects.toThrow(
      /the plugin server did not answer/,
    );
    expect(await dying.exited).toEqual({ code: 3, signal: null });
    other.close();
  });
});

describe('the player fails where Kong would wait in vain, or take one thing for another', () => {
  let server: Server;
  let player: Player;

  /** A plugin server that answers whatever comes with these bytes. */
  async function answeringWith(hex: string): Promise<void> {
    const sockets = new Set<Socket>();
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('data', (chunk) => {
        // Kong's length comes alone.
        if (chunk.length !== 4) socket.write(Buffer.from(hex, 'hex'));
      });
      socket.on('close', () => sockets.delete(socket));
    });
    const socketPath = join(folder, 'fake.sock');
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    player = connectProtobufPlayer(socketPath, { connections: 1 });
  }

  afterEach(async () => {
    player.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    ['an answer to another call', '020000000801', 'answered call 1 instead of call 2'],
    ['an instance without an id', '020000000802', 'named no instance'],
    ['more than the answer', '0700000008028a020210010000', 'bytes that nobody asked for'],
  ])('%s', async (_what, hex, message) => {
    await answeringWith(hex);
    await expect(player.startInstance('probe', {})).rejects.toThrow(message);
  });

  test.each([
    ['a function that nobody knows', '0400000061626364', 'abcd'],
    ['an event that ends with the answer to another', '00000000020000000801', 'answered call 1 instead of call 2'],
  ])('%s', async (_what, hex, message) => {
    await answeringWith(`${hex}00000000`);
    await expect(player.logRequest(1, 'entry')).rejects.toThrow(message);
  });
});

describe('the calls of the player', () => {
  const lines = readFileSync(join(import.meta.dirname, '../fixtures/kong/protobuf-log-only.jsonl'), 'utf8').split('\n');
  const chunks = lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { dir: string; hex: string })
    .filter(({ dir }) => dir === 'kong->js')
    .map(({ hex }) => Buffer.from(hex, 'hex'));
  const calls: Buffer[] = [];
  let unread: Buffer = Buffer.concat(chunks);
  while (unread.length > 0) {
    const end = 4 + unread.readUInt32LE(0);
    // Replies begin with their first field, calls with their number.
    if (unread[4] === 0x08) calls.push(unread.subarray(4, end));
    unread = unread.subarray(end);
  }

  test.each(calls.map((call) => [call.toString('latin1').slice(0, 12), call] as const))(
    'are those of a gateway: %j',
    (_start, call) => {
      const ours = Buffer.from(encodeMessage('RpcCall', decodeMessage('RpcCall', call)));
      // A gateway writes the fields of a message in no order.
      expect(decodeMessage('RpcCall', ours)).toEqual(decodeMessage('RpcCall', call));
      expect([...ours].sort()).toEqual([...call].sort());
    },
  );

  test('are of every kind that a gateway sent', () => {
    const kinds = calls.map((call) => Object.keys(decodeMessage('RpcCall', call)).find((name) => name !== 'sequence'));
    expect(new Set(kinds)).toEqual(new Set(['cmd_start_instance', 'cmd_handle_event', 'cmd_close_instance']));
  });
});
