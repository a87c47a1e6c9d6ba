import { describe, expect, test } from 'vitest';
import { createCatchUp } from '../../../plugin/delivery/catch-up.ts';
import { successorOf } from '../../../plugin/delivery/retirement.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, ids, pushAll, serve, settingsFor, until } from '../../support/plugin/rig.ts';
import { spoolSettings, tempFolder } from '../../support/plugin/spool.ts';

describe('catching up', () => {
  test('lets so many events leave in a second, in batches of any size', () => {
    for (const batch of [1, 7, 100, 5000]) {
      const clock = createManualClock();
      const catchUp = createCatchUp(1000, clock);
      let sent = 0;
      while (clock.now() < 60_000) {
        const waitMs = catchUp.waitMs();
        if (waitMs > 0) clock.advance(waitMs);
        else {
          catchUp.spend(batch);
          sent += batch;
        }
      }
      expect(sent / 60).toBeGreaterThan(990);
      expect(sent / 60).toBeLessThan(1010 + batch / 60 + 2);
    }
  });

  test('lets what comes in meanwhile leave on top of that, or it would never end', () => {
    const clock = createManualClock();
    const catchUp = createCatchUp(1000, clock);
    let backlog = 60_000;
    while (backlog > 0 && clock.now() < 100_000) {
      // Three times the rate comes in.
      clock.advance(10);
      catchUp.credit(30);
      backlog += 30;
      while (catchUp.waitMs() === 0 && backlog > 0) {
        catchUp.spend(Math.min(10, backlog));
        backlog -= Math.min(10, backlog);
      }
    }
    expect(backlog).toBe(0);
    expect(clock.now()).toBeGreaterThan(55_000);
    expect(clock.now()).toBeLessThan(65_000);
  });

  test('saves nothing up for later', () => {
    const clock = createManualClock();
    const catchUp = createCatchUp(1000, clock);
    clock.advance(3_600_000);
    catchUp.credit(1_000_000);
    let sent = 0;
    for (; catchUp.waitMs() === 0; sent++) catchUp.spend(1);
    expect(sent).toBe(100);
  });

  test('holds back what was on disk only, and nothing else', async () => {
    const clock = createManualClock();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const queue = {
      maxBatchSize: 10,
      maxEntries: 50,
      maxCoalescingDelayMs: 1,
      initialRetryDelayMs: 1,
      maxRetryDelayMs: 1,
    };
    const rig = createRig(server.url, {
      clock,
      spool: spoolSettings(tempFolder(), { catchUpEventsPerSecond: 100 }),
      queue,
    });
    pushAll(rig.delivery, ids(500));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(500));
    isDown = false;
    // What is in memory leaves at once, and what the limiter has kept.
    await until(() => {
      clock.advance(0.01);
      expect(server.accepted.length).toBeGreaterThanOrEqual(60);
    });
    expect(server.accepted.length).toBeLessThan(100);
    const before = server.accepted.length;
    const startedAt = clock.now();
    await until(() => {
      clock.advance(10);
      expect(rig.deliveries.counters()).toMatchObject({ sent: 500, waiting: 0 });
    });
    expect((500 - before) / ((clock.now() - startedAt) / 1000)).toBeLessThan(120);
    expect(server.accepted).toEqual(ids(500));
  });
});

describe('a token that is changed while the process lives', () => {
  const queue = { maxBatchSize: 10, maxCoalescingDelayMs: 1, breakerCooldownMs: 1000 };

  test('what the old Delivery still has leaves with the new token', async () => {
    const clock = createManualClock();
    const server = await serve(({ headers }) => ({ status: headers.authorization === 'Bearer new-token' ? 202 : 401 }));
    // The clock runs faster than the requests: none may run into its timeout, or it would be sent twice.
    const timeoutMs = 1_000_000_000;
    const spool = spoolSettings(tempFolder());
    const rig = createRig(server.url, { clock, timeoutMs, token: 'old-token', spool, queue });
    pushAll(rig.delivery, ids(30));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(30));
    const changed = rig.deliveries.open(settingsFor(server.url, { timeoutMs, token: 'new-token', queue }));
    pushAll(changed, ids(10, 'new'));
    await until(() => {
      clock.advance(5000);
      expect(rig.deliveries.counters()).toMatchObject({ sent: 40, waiting: 0 });
    });
    // Not at once: workers change one after the other.
    expect(clock.now()).toBeGreaterThan(300_000);
    expect(server.accepted.toSorted()).toEqual([...ids(10, 'new'), ...ids(30)].toSorted());
    // The old one comes back when it is used after all.
    pushAll(rig.delivery, ['late']);
    expect(rig.deliveries.counters().waiting).toBe(1);
  });

  test('a Delivery that was there before, or several, are no successors', () => {
    const delivery = (token: string, openedAt: number, lastPushAt: number, isTokenRefused = false) =>
      ({
        settings: { token },
        openedAt,
        lastPushAt,
        queue: { isTokenRefused },
        heir: { endpointKey: 'k' },
      }) as never as Parameters<typeof successorOf>[0];
    const old = delivery('old', 0, 1_000_000, true);
    const successor = delivery('new', 990_000, 2_000_000);
    const now = 1_400_000;
    expect(successorOf(old, [old, successor], now)).toBe(successor);
    expect(successorOf(old, [old, successor], 1_200_000)).toBeUndefined();
    expect(successorOf(old, [old], now)).toBeUndefined();
    expect(successorOf(old, [old, delivery('tenant', 500_000, 2_000_000)], now)).toBeUndefined();
    expect(successorOf(old, [old, successor, delivery('another', 1_100_000, 0)], now)).toBeUndefined();
    expect(successorOf(old, [old, delivery('new', 990_000, 0, true)], now)).toBeUndefined();
    expect(successorOf(delivery('old', 0, 1_000_000), [successor], now)).toBeUndefined();
  });
});
