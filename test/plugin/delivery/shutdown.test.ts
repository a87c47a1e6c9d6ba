import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, ids, pushAll, serve, settingsFor, TOKEN, until } from '../../support/plugin/rig.ts';
import { type Ended, startChild } from './support/child.ts';

const never = { maxBatchSize: 100, maxCoalescingDelayMs: 3_600_000 };

/** Standard error, which has to be one JSON object a line. */
function parsed({ stderr }: Ended): Record<string, unknown>[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('SIGTERM in a process of its own', () => {
  test('sends at once what waits, and ends with 0', async () => {
    const server = await serve();
    const child = startChild({ settings: settingsFor(server.url, { queue: never }), ids: ids(250), stayAlive: true });
    await until(() => expect(server.accepted).toEqual(ids(200)));
    child.kill('SIGTERM');
    const ended = await child.ended;
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(server.accepted).toEqual(ids(250));
    // The event pushed after the signal is not taken, and counted.
    expect(parsed(ended)).toEqual([
      expect.objectContaining({ msg: 'events dropped', reason: 'shutdown', count: 1 }),
      { level: 'info', msg: 'delivery stopped', taken: 251, sent: 250, dropped: 1 },
      { msg: 'counters', taken: 251, adopted: 0, sent: 250, retried: 0, waiting: 0, dropped: { shutdown: 1 } },
    ]);
  });

  test('with an endpoint that is down counts everything as lost, within the deadline', async () => {
    const server = await serve(() => ({ status: 503, close: 'before answer' }));
    const settings = settingsFor(server.url, { queue: { ...never, initialRetryDelayMs: 60_000 } });
    const child = startChild({ settings, ids: ids(150), stayAlive: true });
    await until(() => expect(server.requests).toHaveLength(1));
    child.kill('SIGTERM');
    const ended = await child.ended;
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(parsed(ended).at(-1)).toMatchObject({ taken: 151, sent: 0, waiting: 0, dropped: { shutdown: 151 } });
    expect(server.requests.length).toBeGreaterThan(2);
    expect(ended.stderr).not.toContain(TOKEN);
  });
});

describe('nothing keeps the process alive', () => {
  test('when there is nothing to do', async () => {
    const child = startChild({ settings: settingsFor('http://127.0.0.1:1/'), ids: [], stayAlive: false });
    expect(await child.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
  });

  test('when all has been sent, though connections are kept for a minute', async () => {
    const server = await serve();
    const settings = settingsFor(server.url, { queue: { maxCoalescingDelayMs: 50, maxBytes: 1000 } });
    // One event is dropped, so that a log line may be due in a minute: that is not waited for.
    const child = startChild({ settings, ids: [...ids(10), 'x'.repeat(1000)], stayAlive: false });
    const ended = await child.ended;
    // It waited for the coalescing delay and the answer: events are work, not idleness.
    expect(server.accepted).toEqual(ids(10));
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(parsed(ended)).toMatchObject([
      { msg: 'events dropped', reason: 'event_too_large' },
      { msg: 'counters', sent: 10, waiting: 0 },
    ]);
  });
});

describe('stop', () => {
  test('sends all waiting batches at the same time', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const server = await serve(async () => {
      await gate;
      return { status: 202 };
    });
    const rig = createRig(server.url, { queue: { ...never, maxBatchSize: 10 } });
    pushAll(rig.delivery, ids(205));
    await until(() => expect(server.requests).toHaveLength(1));
    const stopped = rig.deliveries.stop(10_000);
    await until(() => expect(server.requests).toHaveLength(21));
    openGate();
    await stopped;
    expect(server.accepted.toSorted()).toEqual(ids(205).toSorted());
    expect(rig.deliveries.counters()).toEqual({
      taken: 205,
      adopted: 0,
      sent: 205,
      retried: 0,
      waiting: 0,
      dropped: {},
    });
  });

  test('wakes a batch out of its pause, passes an open breaker, and pauses briefly from then on', async () => {
    const clock = createManualClock();
    let answers = 0;
    const server = await serve(() => ({ status: ++answers < 5 ? 503 : 202, headers: { 'retry-after': '50' } }));
    const queue = { maxBatchSize: 1, initialRetryDelayMs: 40_000, failureThreshold: 1, breakerCooldownMs: 3_000_000 };
    const rig = createRig(server.url, { clock, queue });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(clock.timersInMs()).toContain(50_000));
    const stopped = rig.deliveries.stop(60_000);
    for (let pauses = 0; pauses < 3; pauses++) {
      await until(() => expect(clock.timersInMs()).toContain(100));
      clock.advance(100);
    }
    await stopped;
    expect(server.accepted).toEqual(ids(1));
    expect(clock.timersInMs()).toEqual([]);
  });

  test('sends all at the same time past an open breaker, too', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const server = await serve(async (_request, index) => {
      if (index === 0) return { status: 500 };
      await gate;
      return { status: 202 };
    });
    const queue = { maxBatchSize: 10, failureThreshold: 1, breakerCooldownMs: 3_600_000 };
    const rig = createRig(server.url, { queue });
    pushAll(rig.delivery, ids(50));
    await until(() => expect(rig.linesOf('the breaker opened: the endpoint keeps failing')).toHaveLength(1));
    const stopped = rig.deliveries.stop(10_000);
    await until(() => expect(server.requests).toHaveLength(1 + 5));
    openGate();
    await stopped;
    expect(rig.deliveries.counters()).toEqual({ taken: 50, adopted: 0, sent: 50, retried: 1, waiting: 0, dropped: {} });
  });

  test('waits for no pause at the deadline', async () => {
    const clock = createManualClock();
    const server = await serve(() => ({ status: 503, headers: { 'retry-after': '9' } }));
    const rig = createRig(server.url, { clock, queue: { maxBatchSize: 1 } });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(clock.timersInMs()).toEqual([9000]));
    const stopped = rig.deliveries.stop(50);
    await until(() => expect(clock.timersInMs().toSorted()).toEqual([100, 50]));
    clock.advance(50);
    await stopped;
    expect(rig.deliveries.counters()).toMatchObject({ retried: 1, waiting: 0, dropped: { shutdown: 1 } });
    expect(clock.timersInMs()).toEqual([]);
  });

  test('counts at the deadline what is left: waiting, in flight, half way through a splitting', async () => {
    const clock = createManualClock();
    const server = await serve(({ ids: sent }, index) => {
      if (index === 0) return { status: 400 };
      return sent.includes('e0') ? { status: 202 } : new Promise(() => {});
    });
    const rig = createRig(server.url, { clock, queue: { ...never, maxBatchSize: 10 } });
    pushAll(rig.delivery, ids(500));
    // The first half of the first batch is in; its second half hangs, and so does what comes after.
    await until(() => expect(rig.deliveries.counters().sent).toBe(5));
    const stopped = rig.deliveries.stop(5000);
    await until(() => expect(server.requests).toHaveLength(2 + 32));
    clock.advance(5000);
    await stopped;
    expect(rig.deliveries.counters()).toMatchObject({ taken: 500, sent: 5, waiting: 0, dropped: { shutdown: 495 } });
    expect(rig.linesOf('events dropped')).toMatchObject([{ reason: 'shutdown', count: 495 }]);
    expect(rig.linesOf('delivery stopped')).toMatchObject([{ taken: 500, sent: 5, dropped: 495 }]);
    expect(clock.timersInMs()).toEqual([]);
  });

  test('logs what was held back for the end of the minute', async () => {
    const rig = createRig('http://127.0.0.1:1/', { clock: createManualClock() });
    for (let count = 0; count < 5; count++) rig.deliveries.reportDrop('no_subject');
    await rig.deliveries.stop(0);
    expect(rig.linesOf('events dropped').map((line) => line['count'])).toEqual([1, 4]);
  });

  test('takes nothing afterwards, from Deliveries old and new, and stops once', async () => {
    const server = await serve();
    const rig = createRig(server.url, { queue: { maxBatchSize: 1 } });
    pushAll(rig.delivery, ids(3));
    const stopped = rig.deliveries.stop(5000);
    expect(rig.deliveries.stop(0)).toBe(stopped);
    pushAll(rig.delivery, ['late']);
    await stopped;
    pushAll(rig.deliveries.open(settingsFor(server.url, { token: 'new' })), ['later']);
    expect(rig.deliveries.counters()).toEqual({
      taken: 5,
      adopted: 0,
      sent: 3,
      retried: 0,
      waiting: 0,
      dropped: { shutdown: 2 },
    });
    expect(server.accepted.toSorted()).toEqual(ids(3));
  });
});
