import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openSqliteUsageStore, type UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import { testClock } from '../../../support/test-clock.ts';
import { CORRECTION_SLICE_EVENTS, METERS, meteredEvent, SMALL_SIZES } from './storing.ts';

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? (process.env['LONG'] === '1' ? 200 : 2));
/** A file of its own for so many: each round looks at all that the rounds before it have stored. */
const ROUNDS_OF_FILE = 10;
const SCRIPT = fileURLToPath(new URL('storing-process.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a process killed under load has lost nothing that it called stored, and its roll-ups are what the events say', {
  timeout: 3_600_000,
}, async () => {
  let acknowledged = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const path = join(folder, `usage-${Math.ceil(round / ROUNDS_OF_FILE)}.sqlite`);
    if (round % ROUNDS_OF_FILE === 1) acknowledged = 0;
    const { ids, corrections } = await storeUntilKilled(path, round);
    acknowledged += ids.length;
    const store = await openSqliteUsageStore(path, testClock(), {
      rollups: SMALL_SIZES,
      correctionSliceEvents: CORRECTION_SLICE_EVENTS,
    });
    try {
      // At once, in whatever state the fold and the back-fill were left; and when they are through.
      expect((await store.verify()).differences).toEqual([]);
      // Corrections that had slices left go on by themselves.
      for (const id of corrections) expect(await store.corrections.get(id)).toMatchObject({ id });
      while (await isCorrecting(store));
      for (const meter of METERS) while (!(await store.seriesProgress(meter))?.isFinished);
      let verified = await store.verify();
      while (verified.waiting > 0) verified = await store.verify();
      expect(verified).toMatchObject({ series: METERS.length, waiting: 0, differences: [] });
      expect(verified.cells).toBeGreaterThan(0);
      const { stored } = await store.totals();
      expect(stored).toBeGreaterThanOrEqual(acknowledged);
      const { events: voided } = await store.corrections.preview('restore', { filters: [] }, 1);
      expect(await countedEvents(store)).toBe(stored - voided);
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

/** @returns the events that the process said were stored, each once, and the corrections that it said were begun */
async function storeUntilKilled(path: string, round: number): Promise<{ ids: string[]; corrections: string[] }> {
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
  const said = output.split('\n').slice(0, -1);
  expect(new Set(said).size).toBe(said.length);
  const corrections = said.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  return { ids: said.filter((line) => !line.startsWith('!')), corrections };
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

async function isCorrecting(store: UsageStore): Promise<boolean> {
  const { corrections } = await store.corrections.list({ offset: 0, limit: 1000 });
  return corrections.some(({ finishedAtMs }) => finishedAtMs === undefined);
}
