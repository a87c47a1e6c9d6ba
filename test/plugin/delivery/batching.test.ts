import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { barrier, createRig, event, ids, pushAll, serve, TOKEN, until } from '../../support/plugin/rig.ts';

test('a delivery is behind while a whole batch waits for the one before it, and not while the breaker holds it back', async () => {
  const { promise: answer, resolve: goOn } = Promise.withResolvers<{ status: number }>();
  const server = await serve((_request, index) => (index === 0 ? answer : { status: 202 }));
  const queue = { maxBatchSize: 3, failureThreshold: 1 };
  const { delivery, deliveries } = createRig(server.url, { clock: createManualClock(), queue });
  pushAll(delivery, ids(3));
  await until(() => expect(server.requests).toHaveLength(1));
  pushAll(delivery, ids(2));
  expect(deliveries.isBehind()).toBe(false);
  pushAll(delivery, ids(1));
  expect(deliveries.isBehind()).toBe(true);
  goOn({ status: 503 });
  await until(() => expect(deliveries.isBehind()).toBe(false));
  expect(server.requests).toHaveLength(1);
});

describe('when a batch leaves', () => {
  test('at once when it is full, whatever the delay', async () => {
    const server = await serve();
    const { delivery } = createRig(server.url, { clock: createManualClock(), queue: { maxBatchSize: 3 } });
    pushAll(delivery, ids(7));
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([ids(3), ['e3', 'e4', 'e5']]));
    await barrier();
    expect(server.accepted).toHaveLength(6);
  });

  test('a delay after its first event, however many follow', async () => {
    const clock = createManualClock();
    const server = await serve();
    const { delivery, deliveries } = createRig(server.url, { clock, queue: { maxCoalescingDelayMs: 1000 } });
    for (const id of ids(5)) {
      delivery.push(event(id));
      clock.advance(199);
    }
    clock.advance(4);
    await barrier();
    expect(server.requests).toHaveLength(0);
    expect(deliveries.counters().waiting).toBe(5);
    clock.advance(1);
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([ids(5)]));
  });

  test('with the delay counted from the oldest that a full batch left behind', async () => {
    const clock = createManualClock();
    const server = await serve();
    const { delivery } = createRig(server.url, { clock, queue: { maxBatchSize: 2, maxCoalescingDelayMs: 1000 } });
    delivery.push(event('a'));
    clock.advance(500);
    pushAll(delivery, ['b', 'c']);
    await until(() => expect(server.accepted).toEqual(['a', 'b']));
    clock.advance(999);
    await barrier();
    expect(server.accepted).toEqual(['a', 'b']);
    clock.advance(1);
    await until(() => expect(server.accepted).toEqual(['a', 'b', 'c']));
  });

  test('with each event when the batch size is 1', async () => {
    const server = await serve();
    const { delivery } = createRig(server.url, { clock: createManualClock(), queue: { maxBatchSize: 1 } });
    pushAll(delivery, ids(5));
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual(ids(5).map((id) => [id])));
  });

  test('at once when the delay is 0', async () => {
    const server = await serve();
    const { delivery } = createRig(server.url, { clock: createManualClock(), queue: { maxCoalescingDelayMs: 0 } });
    pushAll(delivery, ids(5));
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([ids(5)]));
  });

  test('before it is full when another event would make its body larger than a megabyte', async () => {
    const server = await serve();
    const { delivery } = createRig(server.url, { clock: createManualClock(), queue: { maxBatchSize: 1000 } });
    for (const id of ids(5)) delivery.push(event(id, 'x'.repeat(400_000)));
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([ids(2), ['e2', 'e3']]));
  });
});

test('a request is what the contract asks for', async () => {
  const server = await serve();
  const { delivery } = createRig(`${server.url}?source=gateway`, { queue: { maxBatchSize: 2 } });
  delivery.push(event('a', 'grün, 请求, 🚀'));
  delivery.push(event('b'));
  await until(() => expect(server.requests).toHaveLength(1));
  const [request] = server.requests;
  expect(request?.path).toBe('/v3/openmeter/events?source=gateway');
  expect(request?.headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/cloudevents-batch+json',
    'user-agent': expect.stringMatching(/.+/) as string,
  });
  expect(JSON.parse(request?.body ?? '')).toEqual([
    JSON.parse(event('a', 'grün, 请求, 🚀').json),
    JSON.parse(event('b').json),
  ]);
});

describe('order and concurrency', () => {
  test('one batch at a time, oldest first, on connections that are kept', async () => {
    const server = await serve();
    const { delivery, deliveries } = createRig(server.url, { queue: { maxBatchSize: 10 } });
    const all = ids(500);
    for (const [index, id] of all.entries()) {
      delivery.push(event(id));
      if (index % 37 === 0) await new Promise(setImmediate);
    }
    await until(() => expect(server.accepted).toEqual(all));
    expect(server.mostAtOnce).toBe(1);
    // Two, not one: a connection is free again only a moment after its answer has been read.
    expect(server.connections).toBeLessThanOrEqual(2);
    await until(() => expect(deliveries.counters()).toMatchObject({ taken: 500, sent: 500, waiting: 0, dropped: {} }));
  });

  test('an unlimited concurrency is 32 requests at a time', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const server = await serve(async () => {
      await gate;
      return { status: 202 };
    });
    const { delivery } = createRig(server.url, { queue: { maxBatchSize: 1, concurrencyLimit: -1 } });
    pushAll(delivery, ids(100));
    await until(() => expect(server.requests).toHaveLength(32));
    await barrier();
    expect(server.requests).toHaveLength(32);
    openGate();
    await until(() => expect(server.accepted.toSorted()).toEqual(ids(100).toSorted()));
    expect(server.mostAtOnce).toBe(32);
  });

  test('what arrives while a batch is under way leaves together after it', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const server = await serve(async (_request, index) => {
      if (index === 0) await gate;
      return { status: 202 };
    });
    const { delivery } = createRig(server.url, { queue: { maxBatchSize: 50, maxCoalescingDelayMs: 0 } });
    delivery.push(event('first'));
    await until(() => expect(server.requests).toHaveLength(1));
    for (const id of ids(40)) {
      delivery.push(event(id));
      await new Promise(setImmediate);
    }
    openGate();
    await until(() => expect(server.requests.map((request) => request.ids)).toEqual([['first'], ids(40)]));
  });
});
