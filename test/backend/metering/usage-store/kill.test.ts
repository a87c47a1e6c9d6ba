import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';
import { CORRECTION_SLICE_EVENTS, METERS, meteredEvent, SMALL_SIZES } from './storing.ts';

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? (process.env['LONG'] === '1' ? 200 : 2));
/** A place of its own for so many: each round looks at all that the rounds before it have stored. */
const ROUNDS_OF_PLACE = 10;
const SCRIPT = fileURLToPath(new URL('storing-process.ts', import.meta.url));

test.each(USAGE_ENGINES)(
  '$name: processes killed under load have lost nothing that they called stored, and the roll-ups are what the events say',
  {
    timeout: 3_600_000,
  },
  async ({ makePlace, writers }) => {
    let acknowledged = 0;
    let place: UsagePlace | undefined;
    onTestFinished(() => place?.remove());
    for (let round = 1; round <= ROUNDS; round++) {
      if (round % ROUNDS_OF_PLACE === 1) {
        await place?.remove();
        place = await makePlace();
        acknowledged = 0;
      }
      const { address, open } = place as UsagePlace;
      const { ids, corrections } = await storeUntilKilled(address, round, writers);
      acknowledged += ids.length;
      const store = await open(testClock(), { rollups: SMALL_SIZES, correctionSliceEvents: CORRECTION_SLICE_EVENTS });
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
        const again = ids.map((id) => {
          const [name, index] = id.split('-').map((part) => Number.parseInt(part, 10));
          return meteredEvent(name as number, index as number);
        });
        expect(await store.append(again)).toEqual({ stored: 0, duplicates: ids.length });
        // The next round stores on top of meters that come and go.
        await store.syncMeters(round % 3 === 0 ? METERS.slice(0, 2) : METERS);
        acknowledged = stored;
      } finally {
        await store.close();
      }
    }
  },
);

/** @returns the events that the processes said were stored, each once, and the corrections that they said were begun */
async function storeUntilKilled(
  address: string,
  round: number,
  writers: number,
): Promise<{ ids: string[]; corrections: string[] }> {
  const said = await Promise.all(
    Array.from({ length: writers }, (_, writer) => linesUntilKilled(address, round * 10 + writer, writers)),
  );
  const lines = said.flat();
  expect(new Set(lines).size).toBe(lines.length);
  const corrections = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  return { ids: lines.filter((line) => !line.startsWith('!')), corrections };
}

/** @param name of what the process stores */
async function linesUntilKilled(address: string, name: number, writers: number): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, address, String(name)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = Math.floor((Math.random() * 1500) / writers);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  // The kill may have cut the last line.
  return output.split('\n').slice(0, -1);
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
