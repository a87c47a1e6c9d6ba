import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteUsageStore, type UsageQuery } from '../../../backend/usage-store/index.ts';
import { startReaders } from '../../../backend/usage-store/sqlite/reader-pool.ts';
import { testClock } from '../../support/test-clock.ts';
import { METERS } from './storing.ts';

const START_MS = Date.parse('2026-11-01T00:00:00Z');
const EVENTS = 4500;
const MINUTE_MS = 60_000;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'queries-'));
  path = join(folder, 'usage.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

const query = (fields: Partial<UsageQuery> = {}): UsageQuery => ({
  meter: METERS[0] as UsageQuery['meter'],
  fromMs: undefined,
  toMs: undefined,
  granularity: undefined,
  timeZone: 'UTC',
  groupBy: [],
  groupBySubject: false,
  filters: {},
  ...fields,
});

/** A store with an event each minute, of a few subjects. */
async function filledStore(options: { maxResultRows?: number }) {
  const store = await openSqliteUsageStore(path, testClock(), options);
  await store.syncMeters(METERS);
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    id: String(index),
    source: 's',
    type: 't',
    subject: `subject-${index % 7}`,
    timeMs: START_MS + index * MINUTE_MS,
    data: JSON.stringify({ v: index, route: `route-${index % 5}`, id: `${index}` }),
    ingestedAtMs: 0,
  }));
  await store.append(events);
  return store;
}

test('an answer of several parts comes whole and in order', async () => {
  const store = await filledStore({});
  try {
    const rows = await store.query(query({ granularity: 'PT1M' }));
    expect(rows.map(({ fromMs }) => fromMs)).toEqual(
      Array.from({ length: EVENTS }, (_, index) => START_MS + index * MINUTE_MS),
    );
    // The next question of the same thread is not answered with what is left of a cancelled one.
    const abort = new AbortController();
    const cancelled = store.query(query({ granularity: 'PT1M' }), abort.signal);
    abort.abort();
    await expect(cancelled).rejects.toThrow();
    expect(await store.query(query({ groupBySubject: true }))).toHaveLength(7);
  } finally {
    await store.close();
  }
});

test('a query that would have too many rows is refused, whatever it reads', async () => {
  const store = await filledStore({ maxResultRows: 20 });
  try {
    const refused = { kind: 'bad-request', message: expect.stringContaining('more than 20 rows') };
    await expect(store.query(query({ granularity: 'PT1M' }))).rejects.toMatchObject(refused);
    await expect(store.query(query({ granularity: 'PT1H' }))).rejects.toMatchObject(refused);
    await expect(store.query(query({ groupBy: ['route'], groupBySubject: true }))).rejects.toMatchObject(refused);
    const values = { meter: METERS[0] as UsageQuery['meter'], dimension: 'wide', fromMs: undefined, toMs: undefined };
    await expect(store.dimensionValues({ ...values, limit: 10 })).rejects.toMatchObject(refused);
    expect(await store.query(query({ groupBySubject: true }))).toHaveLength(7);
    expect(await store.query(query({ granularity: 'P1D' }))).toHaveLength(4);
  } finally {
    await store.close();
  }
});

test('a reader that has ended is replaced', async () => {
  // There is no file yet: the thread cannot begin.
  const readers = startReaders({ path, maxRows: 10 }, 1, { maxWaiting: 10, timeoutMs: 60_000 });
  await expect(readers.ask({ kind: 'totals' })).rejects.toThrow();
  await (await openSqliteUsageStore(path, testClock())).close();
  expect(await readers.ask({ kind: 'totals' })).toEqual({ stored: 0, duplicates: 0 });
  await readers.close();
});
