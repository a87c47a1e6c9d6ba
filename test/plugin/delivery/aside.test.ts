import { describe, expect, test } from 'vitest';
import { createManualClock, type ManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, ids, pushAll, type Rig, serve, until } from '../../support/plugin/rig.ts';
import { idsOnDisk, spoolSettings, tempFolder } from '../../support/plugin/spool.ts';

const queue = { maxBatchSize: 10, maxCoalescingDelayMs: 10, initialRetryDelayMs: 100, maxRetryDelayMs: 1000 };

/** The clock runs faster than the requests. */
const NEVER_MS = 1_000_000_000;

/** Moves the time on, little by little, until the condition holds. */
function passTime(clock: ManualClock, assertion: () => void, stepMs = 200): Promise<void> {
  return until(() => {
    clock.advance(stepMs);
    assertion();
  });
}

const isDelivered = (rig: Rig, sent: number) => () =>
  expect(rig.deliveries.counters()).toMatchObject({ sent, dropped: {} });

describe.each([
  ['fails for no good reason', 500],
  ['is too much for now', 429],
])('an endpoint to which one event %s', (_name, status) => {
  test.each([
    ['', 0],
    [', with a breaker', 2],
  ])('gets all others%s, and that one as soon as it can', async (_with, failureThreshold) => {
    const clock = createManualClock();
    const dir = tempFolder();
    let isRepaired = false;
    const server = await serve(({ ids: sent }) => ({ status: !isRepaired && sent.includes('e13') ? status : 202 }));
    const rig = createRig(server.url, {
      clock,
      spool: spoolSettings(dir),
      queue: { ...queue, failureThreshold, breakerCooldownMs: 500 },
    });
    pushAll(rig.delivery, ids(100));
    await passTime(clock, isDelivered(rig, 90));
    // The batch has made way. When it comes back it is known to be at fault itself, and taken apart.
    await passTime(clock, isDelivered(rig, 99), 2000);
    expect(idsOnDisk(dir)).toContain('e13');
    pushAll(rig.delivery, ids(50, 'more'));
    await passTime(clock, isDelivered(rig, 149));
    isRepaired = true;
    await passTime(clock, isDelivered(rig, 150), 2000);
    expect(rig.deliveries.counters().waiting).toBe(0);
    expect(server.accepted.toSorted()).toEqual([...ids(100), ...ids(50, 'more')].toSorted());
  });
});

test('batches that cannot be delivered, one behind the other, do not stop those behind them', async () => {
  const clock = createManualClock();
  const bad = ['e3', 'e13', 'e23'];
  const server = await serve(({ ids: sent }) => ({ status: sent.some((id) => bad.includes(id)) ? 500 : 202 }));
  const rig = createRig(server.url, { clock, timeoutMs: NEVER_MS, spool: spoolSettings(tempFolder()), queue });
  pushAll(rig.delivery, ids(100));
  await passTime(clock, isDelivered(rig, 97), 2000);
  expect(rig.deliveries.counters().waiting).toBe(3);
});

test('while an endpoint is down few batches change places, those behind them none', async () => {
  const clock = createManualClock();
  let isDown = true;
  const server = await serve(() => ({ status: isDown ? 503 : 202 }));
  const rig = createRig(server.url, {
    clock,
    timeoutMs: NEVER_MS,
    spool: spoolSettings(tempFolder()),
    queue: { ...queue, maxEntries: 50 },
  });
  pushAll(rig.delivery, ids(100));
  const tried = () => new Set(server.requests.flatMap(({ ids: sent }) => sent)).size;
  // A quarter of an hour, and until a batch has made way to see whether the next one fares better.
  while (clock.now() < 900_000 || tried() < 20) {
    clock.advance(1000);
    await new Promise(setImmediate);
  }
  // No more than memory holds.
  expect(tried()).toBeLessThanOrEqual(50);
  isDown = false;
  await passTime(clock, isDelivered(rig, 100));
  expect(server.accepted.toSorted()).toEqual(ids(100).toSorted());
  const untried = ids(100).slice(50);
  expect(server.accepted.filter((id) => untried.includes(id))).toEqual(untried);
});

test('what has been put aside is on disk when the process ends, and is tried once more before', async () => {
  const clock = createManualClock();
  const dir = tempFolder();
  const server = await serve(({ ids: sent }) => ({ status: sent.includes('e3') ? 500 : 202 }));
  const rig = createRig(server.url, { clock, spool: spoolSettings(dir), queue });
  pushAll(rig.delivery, ids(30));
  await passTime(clock, isDelivered(rig, 20));
  const before = server.requests.length;
  const stopped = rig.deliveries.stop(100);
  await until(() => expect(server.requests.length).toBeGreaterThan(before));
  clock.advance(100);
  await stopped;
  expect(rig.deliveries.counters()).toMatchObject({ sent: 20, waiting: 10, dropped: {} });
  expect(idsOnDisk(dir)).toEqual(expect.arrayContaining(ids(10)));
});

test('a token that is refused puts nothing aside', async () => {
  const clock = createManualClock();
  let isRefused = true;
  const server = await serve(() => ({ status: isRefused ? 401 : 202 }));
  const rig = createRig(server.url, {
    clock,
    spool: spoolSettings(tempFolder()),
    queue: { ...queue, breakerCooldownMs: 1000 },
  });
  pushAll(rig.delivery, ids(100));
  for (let step = 0; step < 100; step++) {
    clock.advance(1000);
    await new Promise(setImmediate);
  }
  expect(new Set(server.requests.flatMap((request) => request.ids))).toEqual(new Set(ids(10)));
  isRefused = false;
  await passTime(clock, isDelivered(rig, 100));
  expect(server.accepted).toEqual(ids(100));
});
