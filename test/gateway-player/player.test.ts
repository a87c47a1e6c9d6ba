import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectPlayer, type Player, type PluginServer, startStockPluginServer } from './index.ts';
import { encodeCall } from './msgpack-connection.ts';
import { recordedMessages } from './recordings.ts';

/** A plugin that does in the log phase what its configuration says. */
const PROBE = `
exports.Name = 'probe';
exports.Plugin = class {
  constructor(config) { this.config = config; }
  async log(kong) {
    if (this.config.hang) await kong.request.getMethod();
    if (this.config.die) process.exit(3);
    for (let call = 0; call < this.config.calls; call++) process.stderr.write(await kong.log.serialize() + ';');
  }
};`;

describe('the player', () => {
  let pluginDir: string;
  let server: PluginServer;
  let player: Player;

  beforeAll(async () => {
    pluginDir = await mkdtemp(join(tmpdir(), 'probe-plugin-'));
    await writeFile(join(pluginDir, 'probe.js'), PROBE);
    server = await startStockPluginServer({ pluginDir });
    player = connectPlayer(server.socketPath, { connections: 2 });
  });

  afterAll(async () => {
    player.close();
    await server.kill();
    await rm(pluginDir, { recursive: true });
  });

  test('answers kong.log.serialize as often as it is called, and counts', async () => {
    const instance = await player.startInstance('probe', { calls: 3 });
    expect(await player.logRequest(instance, 'entry')).toEqual({ pdkCalls: 3 });
    expect(await player.logRequest(await player.startInstance('probe', {}), 'entry')).toEqual({ pdkCalls: 0 });
    // Over the pipe of a process that is still running: what was written is not read yet.
    await expect.poll(() => server.stderr()).toBe('entry;entry;entry;');
  });

  test('fails on a call that Kong might never answer', async () => {
    const instance = await player.startInstance('probe', { hang: true });
    await expect(player.logRequest(instance, 'entry')).rejects.toThrow(
      'the plugin called kong.request.get_method in the log phase; Kong might never answer that',
    );
  });

  test('passes the errors of the server on', async () => {
    await expect(player.startInstance('absent', {})).rejects.toThrow(/^absent not init/);
    await expect(player.logRequest(9999, 'entry')).rejects.toThrow(/^no plugin instance #9999/);
    const closed = await player.startInstance('probe', {});
    await player.closeInstance(closed);
    await expect(player.closeInstance(closed)).rejects.toThrow(/^no plugin instance/);
  });

  test('has as many calls under way as it has connections, and the rest wait', async () => {
    const instance = await player.startInstance('probe', { calls: 1 });
    const logged = await Promise.all(Array.from({ length: 50 }, () => player.logRequest(instance, 'x')));
    expect(logged).toHaveLength(50);
  });

  test('fails a call whose server dies, and finds the next server on the same socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'player-socket-'));
    const socketPath = join(folder, 'js_pluginserver.sock');
    const dying = await startStockPluginServer({ pluginDir, socketPath });
    const other = connectPlayer(socketPath, { connections: 2 });
    const instance = await other.startInstance('probe', { die: true });
    await expect(other.logRequest(instance, 'entry')).rejects.toThrow(/the plugin server did not answer/);
    expect(await dying.exited).toEqual({ code: 3, signal: null });
    const next = await startStockPluginServer({ pluginDir, socketPath });
    expect(await other.logRequest(await other.startInstance('probe', { calls: 1 }), 'entry')).toEqual({ pdkCalls: 1 });
    other.close();
    expect(await next.terminate()).toEqual({ code: null, signal: 'SIGTERM' });
    await rm(folder, { recursive: true });
  });
});

describe('the messages of the player', () => {
  const sent = recordedMessages('msgpack-log-only').filter(({ direction }) => direction === 'kong->js');

  test.each(sent)('are byte for byte those of a gateway: $message.2', ({ message, hex }) => {
    const [, messageId, method, args] = message as [number, number, string, unknown[]];
    expect(Buffer.from(encodeCall(messageId, method, args)).toString('hex')).toBe(hex);
  });

  test('are of every kind that a gateway sent', () => {
    expect(new Set(sent.map(({ message }) => message[2]))).toEqual(
      new Set(['plugin.StartInstance', 'plugin.HandleEvent', 'plugin.Step', 'plugin.CloseInstance']),
    );
  });
});
