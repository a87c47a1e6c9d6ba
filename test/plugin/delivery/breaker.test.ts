import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { barrier, createRig, ids, pushAll, serve, until } from '../../support/plugin/rig.ts';

const opened = 'the breaker opened: the endpoint keeps failing';
const closed = 'the breaker closed: the endpoint answers again';

describe('the breaker', () => {
  const queue = {
    maxBatchSize: 1,
    initialRetryDelayMs: 100,
    maxRetryDelayMs: 100,
    maxRetryTimeMs: 60_000,
    failureThreshold: 3,
    breakerCooldownMs: 20_000,
  };

  test('opens after so many failures, rests, tries one batch, and closes with its success', async () => {
    const clock = createManualClock();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 500 : 202 }));
    const rig = createRig(server.url, { clock, random: () => 0.5, queue: { ...queue, concurrencyLimit: -1 } });
    pushAll(rig.delivery, ids(1));
    for (let attempts = 1; attempts < 3; attempts++) {
      await until(() => expect(clock.timersInMs()).toContain(50));
      expect(rig.linesOf(opened)).toEqual([]);
      clock.advance(50);
    }
    await until(() => expect(rig.linesOf(opened)).toMatchObject([{ level: 'error', count: 1 }]));
    expect(server.requests).toHaveLength(3);
    // The pause of the failed batch, which is none, then the rest.
    await until(() => expect(clock.timersInMs()).toEqual([0]));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toEqual([20_000]));

    pushAll(rig.delivery, ids(50, 'later'));
    clock.advance(19_999);
    await barrier();
    expect(server.requests).toHaveLength(3);
    clock.advance(1);
    await until(() => expect(server.requests).toHaveLength(4));
    // The trial failed: another rest, and still nothing else was sent.
    await until(() => expect(clock.timersInMs()).toEqual([0]));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toEqual([20_000]));
    isDown = false;
    await barrier();
    expect(server.requests.map((request) => request.ids)).toEqual([['e0'], ['e0'], ['e0'], ['e0']]);

    clock.advance(20_000);
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 51, retried: 4, waiting: 0, dropped: {} }),
    );
    expect(rig.linesOf(closed)).toMatchObject([{ level: 'info' }]);
    expect(server.accepted[0]).toBe('e0');
  });

  test('the time it is open does not count towards max_retry_time', async () => {
    const clock = createManualClock();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, { clock, random: () => 0.5, queue });
    pushAll(rig.delivery, ids(5));
    for (let attempts = 1; attempts < 3; attempts++) {
      await until(() => expect(clock.timersInMs()).toContain(50));
      clock.advance(50);
    }
    // An outage of ten cooldowns, more than three times max_retry_time.
    for (let trials = 0; trials < 10; trials++) {
      await until(() => expect(clock.timersInMs()).toContain(0));
      clock.advance(0);
      await until(() => expect(clock.timersInMs()).toContain(20_000));
      clock.advance(20_000);
      await until(() => expect(server.requests).toHaveLength(4 + trials));
    }
    isDown = false;
    await until(() => expect(clock.timersInMs()).toContain(0));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toContain(20_000));
    clock.advance(20_000);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 5, waiting: 0, dropped: {} }));
    expect(server.accepted).toEqual(ids(5));
  });

  test('entries that wait behind it are still bounded, oldest dropped first', async () => {
    const clock = createManualClock();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const settings = { ...queue, failureThreshold: 1, maxEntries: 10, concurrencyLimit: -1 };
    const rig = createRig(server.url, { clock, random: () => 0.5, queue: settings });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(rig.linesOf(opened)).toHaveLength(1));
    pushAll(rig.delivery, ids(20, 'later'));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 10, dropped: { queue_full: 11 } });
    isDown = false;
    await until(() => expect(clock.timersInMs()).toContain(0));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toContain(20_000));
    clock.advance(20_000);
    await until(() => expect(server.accepted.toSorted()).toEqual(['e0', ...ids(20, 'later').slice(11)].toSorted()));
  });

  test('a batch that is refused for its content does not count as a failure, and closes it', async () => {
    const clock = createManualClock();
    const statuses = [500, 400, 500, 400, 500, 202];
    const server = await serve((_request, index) => ({ status: statuses[index] ?? 202 }));
    const rig = createRig(server.url, { clock, random: () => 0, queue: { ...queue, failureThreshold: 2 } });
    pushAll(rig.delivery, ids(4));
    for (let failures = 1; failures <= 3; failures++) {
      await until(() => expect(clock.timersInMs()).toContain(0));
      clock.advance(0);
      await until(() => expect(rig.deliveries.counters().retried).toBe(failures));
    }
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, sent: 2, dropped: { rejected: 2 } }),
    );
    expect(rig.linesOf(opened)).toEqual([]);
  });

  test('when its only batch has been given up, the next one is the trial', async () => {
    const clock = createManualClock();
    const server = await serve((_request, index) => ({ status: index === 0 ? 500 : 202 }));
    const rig = createRig(server.url, { clock, queue: { ...queue, failureThreshold: 1, maxRetryTimeMs: 0 } });
    pushAll(rig.delivery, ids(3));
    await until(() => expect(rig.deliveries.counters().dropped).toEqual({ retry_time_exceeded: 1 }));
    await until(() => expect(clock.timersInMs()).toContain(20_000));
    clock.advance(20_000);
    await until(() => expect(server.accepted).toEqual(['e1', 'e2']));
  });

  test('lets only the trial through, whoever else comes to try again meanwhile', async () => {
    const clock = createManualClock();
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<number>());
    const server = await serve(async (_request, index) => ({ status: (await gates[index]?.promise) ?? 202 }));
    const settings = { ...queue, failureThreshold: 1, concurrencyLimit: -1 };
    const rig = createRig(server.url, { clock, timeoutMs: 1e9, random: () => 0.5, queue: settings });
    pushAll(rig.delivery, ids(2));
    await until(() => expect(server.requests).toHaveLength(2));
    gates[0]?.resolve(500);
    await until(() => expect(clock.timersInMs()).toContain(0));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toContain(20_000));
    clock.advance(20_000);
    await until(() => expect(server.requests).toHaveLength(3));
    // The trial is out. The other request, sent before the breaker opened, fails only now.
    gates[1]?.resolve(500);
    await until(() => expect(clock.timersInMs()).toContain(0));
    clock.advance(0);
    await barrier();
    expect(server.requests).toHaveLength(3);
    gates[2]?.resolve(202);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2, waiting: 0, dropped: {} }));
  });

  test('lets everything go as soon as it closes, though its trial is still busy', async () => {
    const clock = createManualClock();
    const statuses = [500, 400];
    const server = await serve(({ ids: sent }, index) => {
      const status = statuses[index];
      if (status !== undefined) return { status };
      return sent.includes('e0') ? new Promise(() => {}) : { status: 202 };
    });
    const settings = { ...queue, maxBatchSize: 2, failureThreshold: 1, concurrencyLimit: -1 };
    const rig = createRig(server.url, { clock, timeoutMs: 1e9, queue: settings });
    pushAll(rig.delivery, ids(2));
    await until(() => expect(clock.timersInMs()).toContain(0));
    clock.advance(0);
    await until(() => expect(clock.timersInMs()).toContain(20_000));
    pushAll(rig.delivery, ids(4, 'later'));
    clock.advance(20_000);
    // The trial was refused for its content, and its first half hangs.
    await until(() => expect(server.accepted.toSorted()).toEqual(ids(4, 'later')));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 4, waiting: 2 }));
  });

  test('is off at 0', async () => {
    const server = await serve((_request, index) => ({ status: index < 30 ? 500 : 202 }));
    const rig = createRig(server.url, { queue: { ...queue, failureThreshold: 0, initialRetryDelayMs: 0 } });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 30 }));
    expect(rig.linesOf(opened)).toEqual([]);
  });
});
