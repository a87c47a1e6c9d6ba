import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { barrier, createRig, event, ids, pushAll, serve, until } from '../../support/plugin/rig.ts';

/** A server that answers its first request only when told to, so that one batch is in flight for as long as needed. */
async function serveHoldingFirst() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await serve(async (_request, index) => {
    if (index === 0) await promise;
    return { status: 202 };
  });
  return { server, answerFirst: resolve };
}

describe('bounded in entries', () => {
  test('a full buffer drops its oldest waiting entries, and counts and logs them', async () => {
    const { server, answerFirst } = await serveHoldingFirst();
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, timeoutMs: 100_000, queue: { maxBatchSize: 5, maxEntries: 20 } });
    pushAll(rig.delivery, ids(5, 'flying'));
    await until(() => expect(server.requests).toHaveLength(1));

    pushAll(rig.delivery, ids(40));
    expect(rig.deliveries.counters()).toEqual({
      taken: 45,
      adopted: 0,
      sent: 0,
      retried: 0,
      waiting: 20,
      dropped: { queue_full: 25 },
    });
    clock.advance(60_000);
    expect(rig.linesOf('events dropped').map(({ reason, count, level }) => ({ reason, count, level }))).toEqual([
      { reason: 'queue_full', count: 1, level: 'warn' },
      { reason: 'queue_full', count: 24, level: 'warn' },
    ]);
    answerFirst();
    await until(() => expect(server.accepted).toEqual([...ids(5, 'flying'), ...ids(40).slice(25)]));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 20, waiting: 0 }));
  });

  test('when all that is held is in flight, the new event is the one dropped', async () => {
    const { server, answerFirst } = await serveHoldingFirst();
    const rig = createRig(server.url, { queue: { maxBatchSize: 10, maxEntries: 10 } });
    pushAll(rig.delivery, ids(10));
    await until(() => expect(server.requests).toHaveLength(1));
    pushAll(rig.delivery, ['late']);
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 10, dropped: { queue_full: 1 } });
    answerFirst();
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 10, waiting: 0 }));
    expect(server.accepted).toEqual(ids(10));
  });

  test('warns once each time it passes 80 %, at most once a minute', async () => {
    const { server, answerFirst } = await serveHoldingFirst();
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, timeoutMs: 100_000, queue: { maxBatchSize: 1, maxEntries: 10 } });
    const warnings = () => rig.linesOf('the queue is 80 % full').map(({ level, count }) => ({ level, count }));
    pushAll(rig.delivery, ids(7));
    expect(warnings()).toEqual([]);
    pushAll(rig.delivery, ids(3));
    expect(warnings()).toEqual([{ level: 'warn', count: 1 }]);
    answerFirst();
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 10, waiting: 0 }));
    pushAll(rig.delivery, ids(10));
    expect(warnings()).toHaveLength(1);
    clock.advance(60_000);
    expect(warnings()).toEqual([
      { level: 'warn', count: 1 },
      { level: 'warn', count: 1 },
    ]);
  });

  test('a batch larger than the buffer leaves when the buffer fills, not too late', async () => {
    const server = await serve();
    const rig = createRig(server.url, { clock: createManualClock(), queue: { maxBatchSize: 1000, maxEntries: 10 } });
    for (const id of ids(100)) {
      pushAll(rig.delivery, [id]);
      await until(() => expect(rig.deliveries.counters().waiting).toBeLessThan(9));
    }
    await until(() => expect(server.accepted.length).toBeGreaterThanOrEqual(96));
    expect(rig.deliveries.counters().dropped).toEqual({});
  });
});

describe('bounded in bytes of UTF-8', () => {
  // 'ü' is 2 bytes, '请' 3, '🚀' 4 and two UTF-16 units: counted as characters, all of these would fit.
  const wide = (id: string) => event(id, 'ü请🚀'.repeat(100));
  const bytes = Buffer.byteLength(wide('e0').json);

  test('the oldest are dropped for bytes as for entries', async () => {
    expect(bytes).toBeGreaterThan(wide('e0').json.length * 2);
    const { server, answerFirst } = await serveHoldingFirst();
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, queue: { maxBatchSize: 1, maxBytes: bytes * 4 } });
    rig.delivery.push(wide('e0'));
    await until(() => expect(server.requests).toHaveLength(1));
    for (const id of ids(7).slice(1)) rig.delivery.push(wide(id));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 4, dropped: { queue_full: 3 } });
    answerFirst();
    await until(() => expect(server.accepted).toEqual(['e0', 'e4', 'e5', 'e6']));
  });

  test('an event that fits exactly is kept, one byte more makes room first', async () => {
    const { server, answerFirst } = await serveHoldingFirst();
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, queue: { maxBatchSize: 1, maxBytes: bytes * 3 - 1 } });
    for (const id of ids(2)) rig.delivery.push(wide(id));
    await until(() => expect(server.requests).toHaveLength(1));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 2, dropped: {} });
    rig.delivery.push(wide('e2'));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 2, dropped: { queue_full: 1 } });
    answerFirst();
    await until(() => expect(server.accepted).toEqual(['e0', 'e2']));
  });

  test('an event larger than the whole buffer costs no other event', async () => {
    const server = await serve();
    const rig = createRig(server.url, { clock: createManualClock(), queue: { maxBytes: bytes * 2, maxBatchSize: 2 } });
    rig.delivery.push(wide('e0'));
    rig.delivery.push(event('huge', 'x'.repeat(bytes * 2)));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 1, dropped: { event_too_large: 1 } });
    rig.delivery.push(wide('e1'));
    await until(() => expect(server.accepted).toEqual(['e0', 'e1']));
  });

  test('what is in flight and too large to fit beside is no reason to drop what waits', async () => {
    const { server, answerFirst } = await serveHoldingFirst();
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, queue: { maxBatchSize: 1, maxBytes: bytes * 4 } });
    rig.delivery.push(event('flying', 'x'.repeat(bytes * 2)));
    await until(() => expect(server.requests).toHaveLength(1));
    rig.delivery.push(wide('e0'));
    rig.delivery.push(event('large', 'x'.repeat(bytes * 2)));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 2, dropped: { queue_full: 1 } });
    await barrier();
    answerFirst();
    await until(() => expect(server.accepted).toEqual(['flying', 'e0']));
  });
});
