import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { createRig, event, ids, pushAll, serve, TOKEN, until } from '../../../support/plugin/rig.ts';
import { filesIn, idsOnDisk, recordsOf, segmentsIn, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const soon = { maxBatchSize: 100, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };
const never = { ...soon, maxBatchSize: 1000, maxCoalescingDelayMs: 3_600_000 };
const down = () => ({ status: 503 }) as const;

describe('an event that was pushed', () => {
  test('is on disk after the window, in order and numbered, whatever the endpoint does', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    const before = Date.now();
    pushAll(rig.delivery, ids(250));
    await until(() => expect(idsOnDisk(dir)).toEqual(ids(250)));
    const records = segmentsIn(dir).flatMap(recordsOf);
    expect(records.map(({ number }) => number)).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
    for (const { atEpochMs } of records) {
      expect(atEpochMs).toBeGreaterThanOrEqual(before - 1);
      expect(atEpochMs).toBeLessThanOrEqual(Date.now());
    }
    expect(rig.deliveries.counters()).toMatchObject({ taken: 250, sent: 0, waiting: 250, dropped: {} });
  });

  test('is written with the others of its window, in one go', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    const clock = createManualClock();
    const rig = createRig(server.url, { clock, spool: spoolSettings(dir, { syncMs: 50 }), queue: soon });
    for (const id of ids(500)) {
      rig.delivery.push(event(id));
      if (id.endsWith('00')) await new Promise(setImmediate);
    }
    clock.advance(50);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(500));
    expect(idsOnDisk(dir)).toEqual(ids(500));
    expect(rig.deliveries.snapshot().syncs.count).toBe(1);
  });

  test('is not written when it was delivered before the window was over', async () => {
    const dir = tempFolder();
    const server = await serve();
    const rig = createRig(server.url, {
      spool: spoolSettings(dir, { syncMs: 10_000 }),
      queue: { ...soon, maxBatchSize: 1 },
    });
    pushAll(rig.delivery, ids(20));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 20, waiting: 0 }));
    await rig.deliveries.stop(1000);
    expect(rig.deliveries.snapshot()).toMatchObject({ spooled: 0, spool: { bytes: 0 } });
    expect(filesIn(dir)).toEqual([]);
  });

  test('is gone from disk when it was delivered, and its folder with the process', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    // Segments of 64 KiB: several of them.
    const rig = createRig(server.url, { spool: spoolSettings(dir, { maxBytes: 1_048_576 }), queue: soon });
    for (let window = 0; window < 10; window++) {
      pushAll(rig.delivery, ids(100, `w${window}-`));
      await until(() => expect(rig.deliveries.snapshot().spooled).toBe((window + 1) * 100));
    }
    expect(segmentsIn(dir).length).toBeGreaterThan(1);
    isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1000, waiting: 0, dropped: {} }));
    // What is left is the beginning of a segment that is not worth replacing.
    await until(() => expect(segmentsIn(dir).length).toBeLessThanOrEqual(1));
    await rig.deliveries.stop(1000);
    expect(filesIn(dir)).toEqual([]);
    expect(rig.deliveries.snapshot().spool?.bytes).toBe(0);
  });
});

describe('memory is bounded by queue.*', () => {
  test('beyond it events are on disk only, and come back in order', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, {
      spool: spoolSettings(dir),
      queue: { ...soon, maxEntries: 50, maxBatchSize: 20 },
    });
    for (let round = 0; round < 20; round++) {
      pushAll(rig.delivery, ids(100, `r${round}-`));
      await new Promise(setImmediate);
    }
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(2000));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 2000, dropped: {} });
    isDown = false;
    // More come in while the backlog leaves: they stand behind it.
    pushAll(rig.delivery, ids(100, 'late'));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2100, waiting: 0, dropped: {} }));
    const all = [...Array.from({ length: 20 }, (_, round) => ids(100, `r${round}-`)).flat(), ...ids(100, 'late')];
    expect(server.accepted).toEqual(all);
    // Without a backlog the disk is not read any more.
    pushAll(rig.delivery, ids(10, 'again'));
    await until(() => expect(server.accepted.slice(2100)).toEqual(ids(10, 'again')));
  });

  test('in bytes as well, and an event that is larger than all of it is refused', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: { ...soon, maxBytes: 10_000 } });
    for (const id of ids(100)) rig.delivery.push(event(id, 'x'.repeat(900)));
    rig.delivery.push(event('huge', 'x'.repeat(10_000)));
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(100));
    isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 100, waiting: 0 }));
    expect(server.accepted).toEqual(ids(100));
    expect(rig.deliveries.counters().dropped).toEqual({ event_too_large: 1 });
  });
});

describe('a spool that is full', () => {
  const small = { maxBytes: 1_048_576 };
  const big = (id: string) => event(id, 'x'.repeat(10_000));

  test('drops the newest, and counts them', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, { spool: spoolSettings(dir, small), queue: { ...soon, maxEntries: 10 } });
    for (const id of ids(200)) {
      rig.delivery.push(big(id));
      await new Promise(setImmediate);
    }
    const { dropped } = rig.deliveries.counters();
    const kept = 200 - (dropped['spool_full'] ?? 0);
    expect(dropped).toEqual({ spool_full: 200 - kept });
    expect(kept).toBeGreaterThan(90);
    expect(kept).toBeLessThan(105);
    expect(rig.linesOf('the spool is 80 % full')).toHaveLength(1);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(kept));
    const bytes = segmentsIn(dir).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThanOrEqual(1_048_576);
    isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: kept, waiting: 0 }));
    expect(server.accepted).toEqual(ids(kept));
    // There is room again.
    rig.delivery.push(big('after'));
    await until(() => expect(server.accepted.at(-1)).toBe('after'));
  });

  test('drops the oldest, and counts them', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const spool = spoolSettings(dir, { ...small, full: 'drop_oldest', syncMs: 0 });
    const rig = createRig(server.url, { spool, queue: { ...soon, maxEntries: 10, maxBatchSize: 5 } });
    for (const [index, id] of ids(160).entries()) {
      rig.delivery.push(big(id));
      await until(() => expect(rig.deliveries.snapshot().spooled).toBe(index + 1));
    }
    const { dropped, waiting } = rig.deliveries.counters();
    expect(Object.keys(dropped)).toEqual(['spool_full']);
    expect(waiting).toBe(160 - (dropped['spool_full'] ?? 0));
    const bytes = segmentsIn(dir).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThanOrEqual(1_048_576);
    isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: waiting, waiting: 0 }));
    // The batch that was in flight, and the newest.
    const inFlight = server.requests[0]?.ids ?? [];
    expect(server.accepted).toEqual([...inFlight, ...ids(160).slice(160 - (waiting - inFlight.length))]);
  });

  test('still delivers from memory what is not on disk', async () => {
    const dir = tempFolder();
    const server = await serve();
    // Filled by another endpoint, which is down.
    const other = await serve(down);
    const rig = createRig(other.url, { spool: spoolSettings(dir, small), queue: { ...soon, maxEntries: 10 } });
    for (const id of ids(150)) rig.delivery.push(big(id));
    expect(rig.deliveries.counters().dropped['spool_full']).toBeGreaterThan(40);
    const second = createSecond(rig, server.url);
    for (const id of ids(20)) {
      second.push(big(id));
      await until(() => expect(server.accepted).toContain(id));
    }
    expect(server.accepted).toEqual(ids(20));
  });
});

function createSecond({ deliveries }: ReturnType<typeof createRig>, endpoint: string) {
  return deliveries.open({
    endpoint,
    token: TOKEN,
    timeoutMs: 10_000,
    keepaliveMs: 60_000,
    sslVerify: true,
    queue: {
      ...soon,
      maxBatchSize: 1,
      maxEntries: 100,
      maxRetryTimeMs: 60_000,
      concurrencyLimit: 1,
      failureThreshold: 0,
      breakerCooldownMs: 1000,
    },
  });
}

describe('on disk', () => {
  test('everything is for its owner only, and nothing has the token', async () => {
    const dir = join(tempFolder(), 'not', 'there', 'yet');
    const server = await serve((_request, index) => ({ status: index === 0 ? 400 : 503 }));
    const rig = createRig(`${server.url}?key=${TOKEN}`, {
      spool: spoolSettings(dir),
      queue: { ...soon, maxBatchSize: 1 },
    });
    pushAll(rig.delivery, ids(10));
    await until(() => expect(rig.deliveries.snapshot().deadLettered).toBe(1));
    // All but the refused one, which may have been faster than the window.
    await until(() => expect(rig.deliveries.snapshot().spooled).toBeGreaterThanOrEqual(9));
    await until(() => expect(filesIn(dir).join()).toContain('checkpoint'));
    const files = filesIn(dir).filter((path) => !path.endsWith('.sock'));
    expect(files).toHaveLength(4);
    for (const path of files) {
      expect([path, statSync(join(dir, path)).mode & 0o777]).toEqual([path, 0o600]);
      expect(readFileSync(join(dir, path), 'latin1')).not.toContain(TOKEN);
      expect(path).not.toContain(TOKEN);
    }
    const folders = new Set(
      filesIn(dir).flatMap((path) =>
        path
          .split('/')
          .slice(0, -1)
          .map((_, depth, parts) => parts.slice(0, depth + 1).join('/')),
      ),
    );
    for (const path of ['', ...folders]) expect([path, statSync(join(dir, path)).mode & 0o777]).toEqual([path, 0o700]);
  });
});

describe('shutdown', () => {
  test('leaves on disk what cannot be sent, and the next process sends it', async () => {
    const dir = tempFolder();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const first = createRig(server.url, {
      spool: spoolSettings(dir, { syncMs: 10_000 }),
      queue: { ...soon, maxEntries: 50 },
    });
    pushAll(first.delivery, ids(300));
    const stopped = first.deliveries.stop(50);
    // What comes after the signal is kept as well.
    pushAll(first.delivery, ids(5, 'late'));
    await stopped;
    expect(first.deliveries.counters()).toMatchObject({ taken: 305, sent: 0, waiting: 305, dropped: {} });
    expect(first.linesOf('delivery stopped')).toEqual([
      { level: 'info', msg: 'delivery stopped', taken: 305, sent: 0, dropped: 0, on_disk: 305 },
    ]);
    expect(idsOnDisk(dir)).toEqual([...ids(300), ...ids(5, 'late')]);
    isDown = false;
    const second = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    await until(() => expect(second.deliveries.counters()).toMatchObject({ adopted: 305, sent: 305, waiting: 0 }));
    expect(server.accepted).toEqual([...ids(300), ...ids(5, 'late')]);
    await second.deliveries.stop(1000);
    expect(filesIn(dir)).toEqual([]);
  });

  test('has everything on disk before it waits for anything', async () => {
    const dir = tempFolder();
    const server = await serve(() => new Promise(() => {}));
    const rig = createRig(server.url, { spool: spoolSettings(dir, { syncMs: 10_000 }), queue: never });
    pushAll(rig.delivery, ids(500));
    expect(idsOnDisk(dir)).toEqual([]);
    void rig.deliveries.stop(10);
    expect(idsOnDisk(dir)).toEqual(ids(500));
    pushAll(rig.delivery, ['after']);
    expect(idsOnDisk(dir)).toEqual([...ids(500), 'after']);
  });

  test('does not send again what was confirmed', async () => {
    const dir = tempFolder();
    const server = await serve(({ ids: sent }) => ({ status: sent.includes('e50') ? 503 : 202 }));
    const queue = { ...soon, maxBatchSize: 10, concurrencyLimit: -1 };
    const first = createRig(server.url, { spool: spoolSettings(dir, { syncMs: 0 }), queue });
    pushAll(first.delivery, ids(100));
    await until(() => expect(first.deliveries.counters()).toMatchObject({ sent: 90, waiting: 10 }));
    await until(() => expect(first.deliveries.snapshot().spooled).toBe(100));
    await first.deliveries.stop(10);
    server.respond = () => ({ status: 202 });
    const second = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    await until(() => expect(second.deliveries.counters()).toMatchObject({ adopted: 10, sent: 10, waiting: 0 }));
    expect(server.accepted.toSorted()).toEqual(ids(100).toSorted());
  });
});
