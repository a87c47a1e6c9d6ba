import { decode as referenceDecode, encode as referenceEncode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode, encode } from '../../../plugin/host/msgpack/codec.ts';
import { openMsgpackConnection } from '../../gateway-player/msgpack-connection.ts';
import { createMsgpackProtocol } from '../../gateway-player/msgpack-protocol.ts';
import { fc } from '../../support/property.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';

/** Allows, refuses or fails in its access phase, as its configuration says. */
const GUARD = `
const { seen } = globalThis;
exports.Plugin = class {
  constructor(config) {
    if (config.fail) throw new Error(config.fail);
    this.config = config;
  }
  async access(kong) {
    const consumer = await kong.client.getConsumer();
    seen.guard.push(consumer && consumer.username);
    if (this.config.headers) void kong.response.setHeaders(this.config.headers);
    if (this.config.refuse) return kong.response.exit(429, 'no', { 'Retry-After': '3' });
    if (this.config.late) setImmediate(() => kong.request.getPath().catch((error) => seen.guard.push(String(error))));
  }
};`;

let host: HostInProcess;
let protocol: ReturnType<typeof createMsgpackProtocol>;
beforeEach(async () => {
  host = await startHost('guard', GUARD, 500, 'MsgPack:1');
  protocol = createMsgpackProtocol(host.socketPath, 4);
});
afterEach(async () => {
  protocol.close();
  await host.close();
});

/** What Kong was asked in an access phase. */
async function access(config: object, consumer: object | undefined = { id: 'c', username: 'alice' }) {
  const id = await protocol.startInstance('guard', config);
  const asked: (readonly [string, readonly unknown[]])[] = [];
  const done = protocol.handleEvent(id, 'access', (method, args) => {
    asked.push([method, args]);
    return method === 'kong.client.get_consumer' ? consumer : undefined;
  });
  return { asked, done };
}

describe('MsgPack:1', () => {
  test('runs a phase with its calls one after the other, also those that nobody waits for', async () => {
    const { asked, done } = await access({ headers: { 'RateLimit-Remaining': '3' } });
    await done;
    expect(asked).toEqual([
      ['kong.client.get_consumer', []],
      ['kong.response.set_headers', [{ 'RateLimit-Remaining': '3' }]],
    ]);
    expect(host.seen).toEqual(['alice']);
  });

  test('has no value where Kong has none', async () => {
    const { done } = await access({}, undefined as unknown as object);
    await done;
    expect(host.seen).toHaveLength(1);
  });

  test('ends the event with the call that ends the request', async () => {
    const connection = await openMsgpackConnection(host.socketPath, () => 1);
    const id = await protocol.startInstance('guard', { refuse: true });
    const first = await connection.call('plugin.HandleEvent', [{ EventName: 'access', InstanceId: id }]);
    const { EventId } = first as { EventId: number };
    const second = await connection.call('plugin.StepConsumer', [{ EventId, Data: { username: 'bob' } }]);
    expect(second).toEqual({
      EventId,
      Data: { Method: 'kong.response.exit', Args: [429, 'no', { 'Retry-After': '3' }] },
    });
    await expect(connection.call('plugin.Step', [{ EventId }])).rejects.toThrow(`no event #${EventId}`);
    connection.close();
  });

  test('takes the steps of one event over any connection', async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, () => access({})));
    await Promise.all(runs.map(({ done }) => done));
    expect(host.seen).toHaveLength(50);
  });

  test('says that an instance is gone in the words that Kong looks for', async () => {
    const id = await protocol.startInstance('guard', {});
    expect(id).toBe(500);
    await protocol.closeInstance(id);
    await expect(protocol.handleEvent(id, 'access', () => undefined)).rejects.toThrow('no plugin instance #500');
    await expect(protocol.startInstance('guard', { fail: 'secret' })).rejects.toThrow('could not be started');
    expect(JSON.stringify(host.logged)).not.toContain('secret');
  });

  test('passes an error of Kong on to the plugin and comes to an end', async () => {
    const connection = await openMsgpackConnection(host.socketPath, () => 1);
    const id = await protocol.startInstance('guard', {});
    const first = await connection.call('plugin.HandleEvent', [{ EventName: 'access', InstanceId: id }]);
    const { EventId } = first as { EventId: number };
    expect(await connection.call('plugin.StepError', [{ EventId, Data: 'no' }])).toEqual({ EventId, Data: 'ret' });
    connection.close();
  });

  test('reads messages however they are cut', async () => {
    const value = [0, 7, 'plugin.Step', [{ EventId: 3, Data: { a: ['ä', 1.5, -3, 70_000, true, null] } }]];
    const bytes = Buffer.from(referenceEncode(value));
    for (let cut = 0; cut < bytes.length; cut++) expect(decode(bytes.subarray(0, cut))).toBeUndefined();
    expect(decode(bytes)?.end).toBe(bytes.length);
  });

  test('reads and writes what others do', () => {
    const values = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(values, (value) => {
        const json = JSON.stringify(value);
        const plain: unknown = JSON.parse(json);
        // The reference refuses this one name, which a client may give a header.
        if (!json.includes('"__proto__"')) expect(referenceDecode(encode(plain))).toEqual(plain);
        expect(decode(Buffer.from(encode(plain)))?.value).toEqual(plain);
        const read = decode(Buffer.from(referenceEncode(plain)))?.value;
        expect(JSON.stringify([read])).toBe(JSON.stringify([plain]));
      }),
      { numRuns: process.env['LONG'] === '1' ? 20_000 : 300 },
    );
    for (const length of [31, 32, 255, 256, 65_535, 65_536]) {
      expect(referenceDecode(encode('x'.repeat(length)))).toBe('x'.repeat(length));
      const read = Buffer.from(referenceDecode(encode(Buffer.alloc(length, 7))) as Uint8Array);
      expect(read.equals(Buffer.alloc(length, 7))).toBe(true);
      const list = Array.from({ length }, () => 1);
      expect(decode(Buffer.from(referenceEncode(list)))?.value).toEqual(list);
    }
    expect(() => decode(Buffer.of(0xc1))).toThrow('type c1');
    expect(() => decode(Buffer.alloc(100, 0x91))).toThrow('nests deeper');
  });
});
