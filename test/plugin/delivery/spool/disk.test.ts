import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFiles, type SpoolFiles } from '../../../../plugin/delivery/spool/files.ts';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { startPushing } from '../../../support/plugin/pushing.ts';
import { createRig, event, ids, pushAll, type Rig, serve, settingsFor, until } from '../../../support/plugin/rig.ts';
import { filesIn, idsOnDisk, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const soon = { maxBatchSize: 20, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };
const TROUBLE = 'the spool has trouble with its disk';
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

function limitFiles(pid: number, softAndHard: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${softAndHard}`]);
}

const codes = (rig: Rig) => rig.linesOf(TROUBLE).map(({ code }) => code);

describe('a folder', () => {
  test('that cannot be made: delivery goes on in memory as without a spool, and says so at once', async () => {
    const file = join(tempFolder(), 'a-file');
    writeFileSync(file, '');
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, {
      spool: spoolSettings(join(file, 'spool')),
      queue: { ...soon, maxEntries: 30 },
    });
    expect(rig.linesOf(TROUBLE)).toMatchObject([{ level: 'error', code: 'ENOTDIR' }]);
    // The bounds of the queue hold, oldest dropped first.
    pushAll(rig.delivery, ids(60));
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 30, dropped: { queue_full: 30 } });
    await until(() => expect(server.requests.length).toBeGreaterThan(1));
    isDown = false;
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 30, waiting: 0 }));
    expect(server.accepted).toEqual(ids(60).slice(30));
  });

  test('that can be made later is used from then on, with what waits in memory', async () => {
    const clock = createManualClock();
    const parent = tempFolder();
    const blocker = join(parent, 'spool');
    writeFileSync(blocker, '');
    const server = await serve(() => ({ status: 503 }));
    const rig = createRig(server.url, { clock, spool: spoolSettings(blocker), queue: soon });
    pushAll(rig.delivery, ids(30));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spoolErrors).toBeGreaterThan(1));
    unlinkSync(blocker);
    await until(() => {
      clock.advance(1000);
      expect(idsOnDisk(blocker)).toEqual(ids(30));
    });
    await until(() => expect(rig.linesOf('the spool takes events again')).toHaveLength(1));
  });

  test('that is removed while it is in use: what is in memory goes into a new one, what was not is counted', async () => {
    const clock = createManualClock();
    const dir = tempFolder();
    const server = await serve(() => ({ status: 503 }));
    const rig = createRig(server.url, { clock, spool: spoolSettings(dir), queue: { ...soon, maxEntries: 40 } });
    pushAll(rig.delivery, ids(100));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(100));
    rmSync(dir, { recursive: true });
    await until(() => {
      clock.advance(5000);
      expect(rig.deliveries.counters().dropped).toEqual({ spool_unreadable: 60 });
    });
    pushAll(rig.delivery, ids(5, 'new'));
    await until(() => {
      clock.advance(20);
      expect(idsOnDisk(dir)).toEqual(expect.arrayContaining(ids(5, 'new')));
    });
    server.respond = () => ({ status: 202 });
    await until(() => {
      clock.advance(50);
      expect(rig.deliveries.counters()).toMatchObject({ sent: 45, waiting: 0 });
    });
    expect(server.accepted.toSorted()).toEqual([...ids(40), ...ids(5, 'new')].toSorted());
  });

  test('that is a link to another place is as good as any', async () => {
    const real = tempFolder();
    const link = join(tempFolder(), 'link');
    symlinkSync(real, link);
    const server = await serve(() => ({ status: 503 }));
    const rig = createRig(server.url, { spool: spoolSettings(link), queue: soon });
    pushAll(rig.delivery, ids(10));
    await until(() => expect(idsOnDisk(real)).toEqual(ids(10)));
  });

  test('with strange things in it: they are left alone', async () => {
    const dir = tempFolder();
    const server = await serve(() => ({ status: 503 }));
    const first = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    pushAll(first.delivery, ids(10));
    await until(() => expect(first.deliveries.snapshot().spooled).toBe(10));
    await first.deliveries.stop(10);
    const [key = ''] = readdirSync(dir);
    mkdirSync(join(dir, 'lost+found'));
    mkdirSync(join(dir, key, 'lost+found'));
    writeFileSync(join(dir, key, 'README'), 'hello');
    writeFileSync(join(dir, key, 'node~process~123'), 'a file, not a folder');
    const [folder = ''] = readdirSync(join(dir, key)).filter((name) => name.includes('~') && !name.startsWith('node~'));
    writeFileSync(join(dir, key, folder, 'notes.txt'), 'hello');
    mkdirSync(join(dir, key, folder, '00000009.events'));
    server.respond = () => ({ status: 202 });
    const next = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    await until(() => expect(next.deliveries.counters()).toMatchObject({ sent: 10, waiting: 0 }));
    await next.deliveries.stop(1000);
    expect(filesIn(dir)).toEqual(expect.arrayContaining([join(key, 'README'), join(key, 'node~process~123')]));
  });
});

describe('a disk that fails', () => {
  /** The machine's files, with faults on demand. */
  function faulty(): { files: SpoolFiles; fail: { call?: keyof SpoolFiles; code: string; times: number } } {
    const fail: { call?: keyof SpoolFiles; code: string; times: number } = { code: 'EIO', times: 0 };
    const guarded =
      (name: keyof SpoolFiles) =>
      (...args: never[]) => {
        const isMeant = fail.call === name || `${fail.call}Sync` === name;
        if (!isMeant || fail.times <= 0) return (nodeFiles[name] as (...given: never[]) => unknown)(...args);
        fail.times--;
        const error = Object.assign(new Error(`${fail.code}: ${name}`), { code: fail.code });
        if (name.endsWith('Sync')) throw error;
        return Promise.reject(error);
      };
    const names = Object.keys(nodeFiles) as (keyof SpoolFiles)[];
    return { files: Object.fromEntries(names.map((name) => [name, guarded(name)])) as unknown as SpoolFiles, fail };
  }

  test.each(['create', 'write', 'sync', 'syncFolder'] as const)(
    'in %s: the events are written again, into another file',
    async (call) => {
      const clock = createManualClock();
      const dir = tempFolder();
      const { files, fail } = faulty();
      const server = await serve(() => ({ status: 503 }));
      const rig = createRig(server.url, {
        clock,
        files,
        spool: spoolSettings(dir),
        queue: { ...soon, maxEntries: 20 },
      });
      Object.assign(fail, { call, times: 3 });
      pushAll(rig.delivery, ids(20));
      await until(() => {
        clock.advance(1000);
        expect(rig.deliveries.snapshot()).toMatchObject({ spooled: 20, spoolErrors: 3 });
      });
      expect(codes(rig)).toContain('EIO');
      const stopped = rig.deliveries.stop(0);
      clock.advance(0);
      await stopped;
      server.respond = () => ({ status: 202 });
      const next = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
      await until(() => expect(next.deliveries.counters()).toMatchObject({ adopted: 20, sent: 20, waiting: 0 }));
      // Once each, though a file that could not be synced has them as well: twenty were adopted, and twenty sent. (A batch
      // that was in flight when the first process stopped may have been answered after all.)
      expect(new Set(server.accepted)).toEqual(new Set(ids(20)));
    },
  );

  test.each(['openForReading', 'read'] as const)('in %s for a while: reading goes on later', async (call) => {
    const clock = createManualClock();
    const { files, fail } = faulty();
    let isDown = true;
    const server = await serve(() => ({ status: isDown ? 503 : 202 }));
    const rig = createRig(server.url, {
      clock,
      timeoutMs: 1e9,
      files,
      spool: spoolSettings(tempFolder()),
      queue: { ...soon, maxEntries: 20 },
    });
    pushAll(rig.delivery, ids(100));
    clock.advance(20);
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(100));
    Object.assign(fail, { call, code: 'EMFILE', times: 2 });
    isDown = false;
    await until(() => {
      clock.advance(100);
      expect(rig.deliveries.counters()).toMatchObject({ sent: 100, waiting: 0, dropped: {} });
    });
    expect(server.accepted).toEqual(ids(100));
    expect(codes(rig)).toContain('EMFILE');
  });

  test('in unlink: the file stays, everything else goes on', async () => {
    const dir = tempFolder();
    const { files, fail } = faulty();
    const server = await serve();
    const rig = createRig(server.url, { files, spool: spoolSettings(dir, { maxBytes: 1_048_576 }), queue: soon });
    Object.assign(fail, { call: 'unlink', code: 'EPERM', times: 1 });
    for (let round = 0; round < 5; round++) {
      for (const id of ids(10, `r${round}-`)) rig.delivery.push(event(id, 'x'.repeat(10_000)));
      await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: (round + 1) * 10, waiting: 0 }));
    }
    await rig.deliveries.stop(1000);
    expect(rig.deliveries.counters().dropped).toEqual({});
  });

  test('in that it hangs: 32 MiB wait for it, and what comes on top of that is lost and counted', async () => {
    const { promise: hang, resolve: goOn } = Promise.withResolvers<void>();
    const files: SpoolFiles = { ...nodeFiles, sync: (file) => hang.then(() => nodeFiles.sync(file)) };
    const server = await serve(() => ({ status: 503 }));
    const rig = createRig(server.url, {
      files,
      spool: spoolSettings(tempFolder()),
      queue: { ...soon, maxEntries: 10 },
    });
    for (const id of ids(100)) rig.delivery.push(event(id, 'x'.repeat(500_000)));
    const { dropped, waiting } = rig.deliveries.counters();
    expect(dropped).toEqual({ queue_full: 100 - waiting });
    // Ten in memory as ever, and those 32 MiB.
    expect(waiting).toBe(
      10 + Math.floor((32 * 1024 * 1024) / Buffer.byteLength(event('e99', 'x'.repeat(500_000)).json)),
    );
    goOn();
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(waiting));
    expect(rig.deliveries.counters().dropped).toEqual(dropped);
  });

  test('at shutdown, in the very last write: what was not on disk is counted as lost', async () => {
    const dir = tempFolder();
    const { files, fail } = faulty();
    const server = await serve(() => ({ status: 503 }));
    const rig = createRig(server.url, { files, spool: spoolSettings(dir, { syncMs: 10_000 }), queue: soon });
    pushAll(rig.delivery, ids(30));
    Object.assign(fail, { call: 'createSync', code: 'ENOSPC', times: 100 });
    await rig.deliveries.stop(10);
    expect(rig.deliveries.counters()).toMatchObject({ taken: 30, sent: 0, waiting: 0, dropped: { shutdown: 30 } });
    expect(codes(rig)).toContain('ENOSPC');
  });
});

test.skipIf(!hasPrlimit)(
  'a process that may open no more files keeps events in memory, and on disk when it may again',
  async () => {
    const server = await serve(() => ({ status: 503 }));
    const child = startPushing({
      settings: settingsFor(server.url, { queue: { ...soon, maxEntries: 2000 } }),
      // Segments of 64 KiB: 2000 events need nine.
      spool: spoolSettings(tempFolder(), { maxBytes: 1_048_576 }),
      node: 'node',
      prefix: 'e',
      count: 2000,
    });
    await until(() => expect(child.spooled()).toBeGreaterThan(0));
    limitFiles(child.pid, '1:');
    await until(() => expect(child.stderr()).toContain('EMFILE'));
    limitFiles(child.pid, '1024:');
    // Written to disk again after a second, without any new event.
    await until(() => expect(child.spooled()).toBe(2000));
    server.respond = () => ({ status: 202 });
    await until(() => expect(new Set(server.accepted).size).toBe(2000));
    child.kill('SIGTERM');
    await child.ended;
    expect(child.stderr()).not.toContain('"events dropped"');
  },
);
