import { expect, test } from 'vitest';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { createRig, ids, pushAll, serve, until } from '../../../support/plugin/rig.ts';
import { spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const HOUR_MS = 3_600_000;
const queue = { maxBatchSize: 100, maxCoalescingDelayMs: 1000, maxEntries: 20 };

test.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('a wall clock that is set %s delays nothing, of this process or of a dead one', async (_name, byMs) => {
  const dir = tempFolder();
  let isDown = true;
  const server = await serve(() => ({ status: isDown ? 503 : 202 }));
  const before = createManualClock();
  const first = createRig(server.url, { clock: before, spool: spoolSettings(dir), queue });
  pushAll(first.delivery, ids(10, 'dead'));
  const stopped = first.deliveries.stop(0);
  before.advance(0);
  await stopped;
  isDown = false;
  const manual = createManualClock();
  let offMs = byMs;
  const clock = { ...manual, epochMs: () => manual.epochMs() + offMs };
  const rig = createRig(server.url, { clock, timeoutMs: 1e9, spool: spoolSettings(dir), queue });
  await until(() => expect(rig.deliveries.counters().adopted).toBe(10));
  pushAll(rig.delivery, ids(10));
  offMs = 0;
  await until(() => {
    manual.advance(10);
    expect(rig.deliveries.counters()).toMatchObject({ sent: 20, waiting: 0, dropped: {} });
  });
  expect(manual.now()).toBeLessThan(HOUR_MS / 2);
  expect(server.accepted.toSorted()).toEqual([...ids(10, 'dead'), ...ids(10)].toSorted());
});
