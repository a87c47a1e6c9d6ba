import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openSqliteUsageStore, type UsageStore } from '../../../backend/usage-store/index.ts';
import { testClock } from '../../support/test-clock.ts';
import { METERS, meteredEvent, SMALL_SIZES } from './storing.ts';

const ROUNDS = process.env['LONG'] === '1' ? 200 : 4;
const SCRIPT = fileURLToPath(new URL('storing-process.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a process killed under load has lost nothing that it called stored, and its roll-ups are what the events say', {
  timeout: 3_600_000,
}, async () => {
  const path = join(folder, 'usage.sqlite');
  let acknowledged = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const ids = await storeUntilKilled(path, round);
    acknowledged += ids.length;
    const store = await openSqliteUsageStore(path, testClock(), { rollups: SMALL_SIZES });
    try {
      // At once, in whatever state the fold and the back-fill were left; and when they are through.
      expect((await store.verify()).differences).toEqual([]);
      for (const meter of METERS) while (!(await store.seriesProgress(meter))?.isFinished);
      const verified = await store.verify();
      expect(verified).toMatchObject({ series: METERS.length, differences: [] });
      expect(verified.cells).toBeGreaterThan(0);
      const { stored } = await store.totals();
      expect(stored).toBeGreaterThanOrEqual(acknowledged);
      expect(await countedEvents(store)).toBe(stored);
      // Whatever was called stored is known, each event.
      const again = ids.map((id) => meteredEvent(round, Number.parseInt(id.split('-')[1] ?? '', 10)));
      expect(await store.append(again)).toEqual({ stored: 0, duplicates: ids.length });
      // The next round stores on top of meters that come and go.
      await store.syncMeters(round % 3 === 0 ? METERS.slice(0, 2) : METERS);
      acknowledged = stored;
    } finally {
      await store.close();
    }
  }
});

/** @returns the events that the process said were stored, each once */
async function storeUntilKilled(path: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = Math.floor(Math.random() * 1500);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  // The kill may have cut the last line.
  const ids = output.split('\n').slice(0, -1);
  expect(new Set(ids).size).toBe(ids.length);
  return ids;
}

async function countedEvents(store: UsageStore): Promise<number> {
  const [counting] = METERS;
  const rows = await store.query({
    meter: counting as (typeof METERS)[number],
    fromMs: undefined,
    toMs: undefined,
    granularity: undefined,
    timeZone: 'UTC',
    groupBy: [],
    groupBySubject: false,
    filters: {},
  });
  return Number.parseInt(rows[0]?.value ?? '', 10);
}
