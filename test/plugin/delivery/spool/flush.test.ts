import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeFiles, type SpoolFiles } from '../../../../plugin/delivery/spool/files.ts';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { createRig, event, ids, pushAll, type Rig, serve, until } from '../../../support/plugin/rig.ts';
import { idsOnDisk, segmentsIn, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const soon = { maxBatchSize: 20, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };
const down = () => ({ status: 503 }) as const;

/** Each event as the host does it: taken, handed to the system, and only then answered. */
function pushEach(rig: Rig, pushed: readonly string[], padding = ''): void {
  for (const id of pushed) {
    rig.delivery.push(event(id, padding));
    rig.deliveries.flush();
  }
}

const nextTurn = () => new Promise(setImmediate);

test('what the system has when flush returns is everything, also what a window that ended between push and flush has taken on', async () => {
  const clock = createManualClock();
  const dir = tempFolder();
  const server = await serve(down);
  // The thread pool is busy for ever: a killed process would never make these writes.
  const files: SpoolFiles = { ...nodeFiles, write: () => new Promise(() => undefined) };
  const rig = createRig(server.url, { clock, files, spool: spoolSettings(dir), queue: soon });
  pushAll(rig.delivery, ids(3));
  clock.advance(20);
  await nextTurn();
  rig.deliveries.flush();
  expect(idsOnDisk(dir)).toEqual(ids(3));
  pushEach(rig, ids(3, 'later'));
  expect(idsOnDisk(dir)).toEqual([...ids(3), ...ids(3, 'later')]);
});

test('segments end at their size though every event is flushed, so that a full spool gives up the oldest only', async () => {
  const clock = createManualClock();
  const dir = tempFolder();
  const server = await serve(down);
  // No answer waits for the thread pool to make the next one.
  const files: SpoolFiles = { ...nodeFiles, create: () => new Promise(() => undefined) };
  const settings = spoolSettings(dir, { maxBytes: 1_048_576, full: 'drop_oldest' });
  const rig = createRig(server.url, { clock, files, spool: settings, queue: { ...soon, maxEntries: 50 } });
  for (let round = 0; round < 20; round++) {
    pushEach(rig, ids(100, `r${round}-`), 'x'.repeat(1000));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe((round + 1) * 100));
  }
  const sizes = segmentsIn(dir).map((path) => statSync(path).size);
  expect(Math.max(...sizes)).toBeLessThan(70_000);
  const { dropped, waiting } = rig.deliveries.counters();
  expect(waiting).toBe(2000 - (dropped['spool_full'] ?? 0));
  expect(waiting).toBeGreaterThan(700);
  expect(idsOnDisk(dir).at(-1)).toBe('r19-99');
});

test('a segment that fills up while its first events are synced is closed once, and with all of them synced', async () => {
  const clock = createManualClock();
  const dir = tempFolder();
  const server = await serve(down);
  const { promise: disk, resolve: goOn } = Promise.withResolvers<void>();
  // The system gives a number that was closed to the next file or connection: closed twice, it is somebody else's.
  const open = new Set<number>();
  const strange: string[] = [];
  const note = (call: string, file: number): void => void (open.has(file) || strange.push(call));
  const files: SpoolFiles = {
    ...nodeFiles,
    createSync(path) {
      const file = nodeFiles.createSync(path);
      open.add(file);
      return file;
    },
    sync(file) {
      note('sync', file);
      return disk.then(() => nodeFiles.sync(file));
    },
    close(file) {
      note('close', file);
      open.delete(file);
      return nodeFiles.close(file);
    },
  };
  const rig = createRig(server.url, { clock, files, spool: spoolSettings(dir, { maxBytes: 1_048_576 }), queue: soon });
  pushEach(rig, ids(1, 'first-'));
  clock.advance(20);
  await nextTurn();
  pushEach(rig, ids(100), 'x'.repeat(1000));
  goOn();
  await until(() => expect(rig.deliveries.snapshot().spooled).toBeGreaterThan(0));
  clock.advance(20);
  await until(() => expect(rig.deliveries.snapshot().spooled).toBe(101));
  expect(strange).toEqual([]);
  expect(rig.deliveries.snapshot().spoolErrors).toBe(0);
  expect(open.size).toBe(1);
});
