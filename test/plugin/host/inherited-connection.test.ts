import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { framesOf } from '../../../plugin/host/frames.ts';
import { createHeir } from '../../../plugin/host/inherited-connection.ts';
import { beginsCall } from '../../../plugin/host/rpc-messages.ts';
import { encodeMessage } from '../../gateway-player/protobuf-messages.ts';
import { createManualClock, type ManualClock } from '../../support/plugin/manual-clock.ts';

/** Longer than a connection may be silent, and longer than what is between two ends. */
const SILENT_MS = 1000;
const BETWEEN_MS = 100;

let folder: string;
let server: Server;
let clock: ManualClock;
let served: Socket[];
let take: (socket: Socket) => void;
const ours: Socket[] = [];
const kongs: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heir-'));
  clock = createManualClock();
  served = [];
  take = createHeir({ protocol: 'ProtoBuf:1', serve: (socket) => served.push(socket), clock });
  server = createServer((socket) => ours.push(socket)).listen(join(folder, 's'));
  await once(server, 'listening');
});

afterEach(() => {
  for (const socket of [...ours.splice(0), ...kongs.splice(0)]) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A connection whose worker has died. `inUse`: Kong waits over it, and leaves it open when it has ended. */
async function inherited(
  use: 'inUse' | 'pooled',
): Promise<{ readonly kong: Socket; readonly hasEnded: () => boolean }> {
  const kong = connect({ path: join(folder, 's'), allowHalfOpen: use === 'inUse' });
  kongs.push(kong);
  let ended = false;
  kong.resume().on('end', () => (ended = true));
  await once(kong, 'connect');
  await expect.poll(() => ours.length).toBe(kongs.length);
  take(ours.at(-1) as Socket);
  return { kong, hasEnded: () => ended };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the connections of a worker that has died', () => {
  test('that are silent end one by one: Kong begins an event anew over one that has not ended', async () => {
    const all = [await inherited('inUse'), await inherited('inUse'), await inherited('inUse')];
    const ended = () => all.filter(({ hasEnded }) => hasEnded()).length;
    clock.advance(SILENT_MS);
    await expect.poll(ended).toBe(1);
    await settled();
    expect(ended()).toBe(1);
    // Over one of the others Kong starts the instance: that one lives on.
    all[2]?.kong.write(Buffer.from([5, 0, 0, 0, 0x08, 0x01, 0xa2, 0x02, 0x00]));
    await expect.poll(() => served.length).toBe(1);
    clock.advance(BETWEEN_MS);
    await expect.poll(ended).toBe(2);
    clock.advance(BETWEEN_MS);
    await settled();
    expect(all.map(({ hasEnded }) => hasEnded())).toEqual([true, true, false]);
  });

  test('that Kong does not use are closed one after the other, without a wait', async () => {
    const all = [await inherited('pooled'), await inherited('pooled'), await inherited('pooled')];
    clock.advance(SILENT_MS);
    await expect.poll(() => all.every(({ hasEnded }) => hasEnded())).toBe(true);
    expect(served).toEqual([]);
  });

  test.each([
    ['the sequence number first', [0x08, 0x01, 0xa2, 0x02, 0x00], true],
    ['an event first', [0xa2, 0x02, 0x00, 0x08, 0x01], true],
    ['the start of an instance first', [0x8a, 0x02, 0x00, 0x08, 0x01], true],
    ['an answer', [0x0a, 0x02, 0x7b, 0x7d], false],
    ['an empty answer', [], false],
  ])('%s: a new call is served, an answer to the dead one ends the connection', async (_what, payload, isCall) => {
    const { kong, hasEnded } = await inherited('inUse');
    kong.write(Buffer.from([payload.length, 0, 0, 0]));
    await settled();
    kong.write(Buffer.from(payload));
    await expect.poll(() => served.length > 0 || hasEnded()).toBe(true);
    expect({ isServed: served.length === 1, hasEnded: hasEnded() }).toEqual({ isServed: isCall, hasEnded: !isCall });
  });
});

describe('the first frame of such a connection is', () => {
  const big = 2 ** 40;
  const event = encodeMessage('RpcCall', { sequence: big, cmd_handle_event: { instance_id: 1, event_name: 'log' } });
  const sequence = encodeMessage('RpcCall', { sequence: big });

  test.each([
    ['a call', event],
    // Kong writes the fields in the order of a Lua table, which is none.
    ['a call whose number comes last', Buffer.concat([event.subarray(sequence.length), sequence])],
    ['a call without parameters', encodeMessage('RpcCall', { sequence: 1, cmd_get_plugin_names: {} })],
  ])('%s, however its bytes arrive', (_, payload) => {
    const frame = framesOf(payload);
    const answers = new Set(Array.from(frame, (_byte, length) => beginsCall(frame.subarray(0, length))));
    expect([...answers].filter((answer) => answer !== undefined && !answer)).toEqual([]);
    expect(beginsCall(frame)).toBe(true);
  });

  test.each([
    ['a text', encodeMessage('String', { v: 'x'.repeat(200) })],
    ['a number', encodeMessage('Int', { v: 200 })],
    ['a large number', encodeMessage('Int', { v: -1 })],
    ['nothing', Buffer.alloc(0)],
    ['no message', Buffer.from('ffffffffffffffffffffffffff', 'hex')],
  ])('no call, but %s', (_, payload) => {
    expect(beginsCall(framesOf(payload))).toBe(false);
  });
});
