import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { createRig, event, ids, pushAll, type Rig, serve, until } from '../../../support/plugin/rig.ts';
import { idsOnDisk, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';

const soon = { maxBatchSize: 20, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };
const TROUBLE = 'the spool has trouble with its disk';

type Kind = 'tmpfs' | 'ext4';

/** A small file system of its own; some 200 events of 5 KB fit. */
function mountSmall(kind: Kind, at = tempFolder()): string {
  if (kind === 'tmpfs') run('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', at);
  else {
    const image = `${at}.img`;
    onTestFinished(() => rmSync(image, { force: true }));
    writeFileSync(image, '');
    truncateSync(image, 1_150_000);
    run('mkfs.ext4', '-q', '-F', '-m', '0', '-O', '^has_journal', '-N', '64', image);
    run('mount', '-o', 'loop', image, at);
  }
  onTestFinished(() => void run('umount', '--lazy', at));
  return at;
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

/** Root may, but not in every container. */
function mayMount(kind: Kind): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'mount-try-'));
  try {
    if (kind === 'ext4') run('mkfs.ext4', '-V');
    const device = kind === 'ext4' ? execFileSync('losetup', ['--find'], { stdio: 'pipe' }).toString().trim() : '';
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
    run('umount', folder);
    return kind === 'tmpfs' || existsSync(device);
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const codes = (rig: Rig) => rig.linesOf(TROUBLE).map(({ code }) => code);

describe.each([
  ['tmpfs', mayMount('tmpfs')],
  ['ext4', mayMount('ext4')],
] as const)('a small file system, %s (skipped where it cannot be mounted)', (kind, isPossible) => {
  const big = (id: string) => event(id, 'x'.repeat(5000));

  test.skipIf(!isPossible)(
    'that gets full while the endpoint is down: memory takes over within its bounds, and disk is used again',
    async () => {
      const dir = mountSmall(kind);
      let isDown = true;
      const server = await serve(() => ({ status: isDown ? 503 : 202 }));
      const rig = createRig(server.url, { spool: spoolSettings(dir), queue: { ...soon, maxEntries: 100 } });
      // ENOSPC comes in the middle of a write; until then they wait for it in memory.
      for (const id of ids(300)) {
        rig.delivery.push(big(id));
        if (id.endsWith('0')) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await until(() => expect(codes(rig)).toContain('ENOSPC'));
      for (const id of ids(400).slice(300)) rig.delivery.push(big(id));
      const { dropped, waiting } = rig.deliveries.counters();
      expect(Object.keys(dropped)).toEqual(['queue_full']);
      expect(waiting).toBe(400 - (dropped['queue_full'] ?? 0));
      expect(waiting).toBeGreaterThan(150);
      isDown = false;
      await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: waiting, waiting: 0 }));
      expect(new Set(server.accepted).size).toBe(server.accepted.length);
      // In order, whatever was lost.
      const numbers = server.accepted.map((id) => Number(id.slice(1)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      isDown = true;
      for (const id of ids(20, 'after')) rig.delivery.push(big(id));
      await until(() => expect(idsOnDisk(dir)).toEqual(expect.arrayContaining(ids(20, 'after'))));
      // Said when they are synced, which is after they can be read.
      await until(() => expect(rig.linesOf('the spool takes events again')).not.toEqual([]));
      await rig.deliveries.stop(10);
      expect(rig.deliveries.counters()).toMatchObject({ waiting: 20, dropped });
    },
  );

  test.skipIf(!isPossible)('that others have filled: all events are delivered from memory', async () => {
    const dir = mountSmall(kind);
    fill(join(dir, 'others'));
    const server = await serve();
    const rig = createRig(server.url, { spool: spoolSettings(join(dir, 'spool')), queue: soon });
    for (let round = 1; round <= 5; round++) {
      for (const id of ids(50, `r${round}-`)) rig.delivery.push(big(id));
      await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: round * 50, waiting: 0, dropped: {} }));
    }
    expect(codes(rig)).toContain('ENOSPC');
    // One line a minute; the counter has them all.
    expect(rig.linesOf(TROUBLE)).toHaveLength(1);
    expect(rig.deliveries.snapshot().spoolErrors).toBeGreaterThan(0);
    await rig.deliveries.stop(1000);
    expect(rig.deliveries.counters()).toMatchObject({ sent: 250, dropped: {} });
  });

  test.skipIf(!isPossible)(
    'that is full when the process ends: what is in memory only counts as lost, the rest is sent by the next',
    async () => {
      const dir = mountSmall(kind);
      const server = await serve(() => ({ status: 503 }));
      const first = createRig(server.url, { spool: spoolSettings(dir), queue: { ...soon, maxEntries: 50 } });
      for (const id of ids(300)) first.delivery.push(big(id));
      await first.deliveries.stop(10);
      const { taken, waiting, dropped } = first.deliveries.counters();
      const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      expect([taken, waiting + lost]).toEqual([300, 300]);
      expect(dropped['shutdown']).toBeGreaterThan(0);
      expect(waiting).toBeGreaterThan(100);
      fill(join(dir, 'others'));
      server.respond = () => ({ status: 202 });
      const next = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
      await until(() =>
        expect(next.deliveries.counters()).toMatchObject({ adopted: waiting, sent: waiting, waiting: 0 }),
      );
      expect(new Set(server.accepted).size).toBe(waiting);
    },
  );

  test.skipIf(!isPossible)(
    'that is read-only: events wait in memory, and on disk as soon as it takes them',
    async () => {
      const dir = mountSmall(kind);
      run('mount', '-o', 'remount,ro', dir);
      const clock = createManualClock();
      const server = await serve();
      const rig = createRig(server.url, { clock, timeoutMs: 1e9, spool: spoolSettings(dir), queue: soon });
      pushAll(rig.delivery, ids(10));
      await until(() => {
        clock.advance(100);
        expect(rig.deliveries.counters()).toMatchObject({ sent: 10, waiting: 0, dropped: {} });
      });
      expect(codes(rig)).toEqual(['EROFS']);
      run('mount', '-o', 'remount,rw', dir);
      server.respond = () => ({ status: 503 });
      pushAll(rig.delivery, ids(10, 'rw'));
      await until(() => {
        clock.advance(1000);
        expect(idsOnDisk(dir)).toEqual(ids(10, 'rw'));
      });
    },
  );
});

/** Takes all the room that there is. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let bytes = 65_536; bytes >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}
