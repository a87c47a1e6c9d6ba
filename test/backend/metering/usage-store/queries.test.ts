import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { UsageQuery } from '../../../../backend/metering/usage-store/index.ts';
import { startReaders } from '../../../../backend/metering/usage-store/sqlite/reader-pool.ts';
import { Decimal, formatDecimal } from '../../../../backend/platform/decimal.ts';
import { createThreads } from '../../../../backend/platform/threads.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';
import { openTestUsageStore } from '../../../support/usage-store.ts';
import { METERS } from './storing.ts';

const START_MS = Date.parse('2026-11-01T00:00:00Z');
const EVENTS = 4500;
const MINUTE_MS = 60_000;

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  beforeEach(async () => {
    place = await engine.makePlace();
  });
  afterEach(() => place.remove());

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
  async function filledStore(options: { maxResultRows?: number; maxResultCharacters?: number }) {
    const store = await place.open(testClock(), options);
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

  test('a breakdown of more windows than can be drawn is refused', async () => {
    const store = await filledStore({});
    try {
      const minutes = { ...query({ granularity: 'PT1M', groupBy: ['route'] }), top: 2 };
      const message = expect.stringContaining('more than 2,000 windows');
      await expect(store.breakdown(minutes)).rejects.toMatchObject({ kind: 'bad-request', message });
      const some = await store.breakdown({ ...minutes, toMs: START_MS + 2000 * MINUTE_MS });
      expect(some).toMatchObject({ groupCount: 5, windows: { length: 2000 } });
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
      // Windows of all groups would be 28 rows; of those that are told apart, and the others, they are 12.
      const days = query({ groupBySubject: true, granularity: 'P1D' });
      await expect(store.query(days)).rejects.toMatchObject(refused);
      expect(await store.breakdown({ ...days, top: 2 })).toMatchObject({ groupCount: 7, windows: { length: 4 } });
      const minutes = { ...query({ granularity: 'PT1M' }), top: 2 };
      await expect(store.breakdown(minutes)).rejects.toMatchObject(refused);
    } finally {
      await store.close();
    }
  });

  test('a query whose rows have too long names is refused, whatever it reads', async () => {
    const store = await filledStore({ maxResultCharacters: 2000 });
    try {
      const refused = {
        kind: 'bad-request',
        message: expect.stringContaining('more than 2,000 characters of dimensions'),
      };
      const long = query({ groupBy: ['route'], groupBySubject: true });
      // From roll-ups, and from events.
      await expect(store.query({ ...long, granularity: 'P1D' })).rejects.toMatchObject(refused);
      await expect(store.query({ ...long, granularity: 'PT1M' })).rejects.toMatchObject(refused);
      await expect(store.query({ ...query(), groupBy: ['wide'] })).rejects.toMatchObject(refused);
      expect(await store.query(query({ groupBy: ['route'] }))).toHaveLength(5);
    } finally {
      await store.close();
    }
  });

  test('rows with long names come in parts that are short all the same', async () => {
    const store = await place.open(testClock());
    try {
      const dimensions = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`d${index}`, '$.text']));
      const meter = { ...(METERS[0] as UsageQuery['meter']), dimensions };
      const events = Array.from({ length: 400 }, (_, index) => ({
        id: String(index),
        source: 's',
        type: 't',
        subject: 'x',
        timeMs: START_MS + index * MINUTE_MS,
        data: JSON.stringify({ v: 1, text: String(index).padStart(1000, '0') }),
        ingestedAtMs: 0,
      }));
      await store.append(events);
      const parts: number[] = [];
      const long = query({ meter, groupBy: Object.keys(dimensions), granularity: 'PT1M' });
      await store.queryInParts(long, (rows) => parts.push(rows.length));
      expect(parts.reduce((sum, rows) => sum + rows, 0)).toBe(400);
      // 20,000 characters each.
      expect(Math.max(...parts)).toBeLessThanOrEqual(60);
      const page = { ...long, sort: { field: 'from', direction: 'asc' } as const, offset: 100 };
      const refused = { kind: 'bad-request', message: expect.stringContaining('ask for a smaller page[size]') };
      await expect(store.usagePage({ ...page, limit: 300 })).rejects.toMatchObject(refused);
      expect(await store.usagePage({ ...page, limit: 200 })).toMatchObject({ total: 400, rows: { length: 200 } });
    } finally {
      await store.close();
    }
  });

  test('sums of every kind of number are exact, however many dimensions they are spread over', async () => {
    const store = await place.open(testClock());
    try {
      const dimensions = { k: '$.k' };
      const spec = { aggregation: 'sum', eventType: 'n', valueProperty: '$.v', dimensions } as const;
      const meter = { ...(METERS[0] as UsageQuery['meter']), ...spec };
      /** By hour of a day: integers of the largest size, negative ones, decimals, both, nothing usable. */
      const hours = [
        ['9007199254740991', '9007199254740991', '9007199254740991', '-1'],
        ['-9007199254740991', '-5', '3'],
        ['0.1', '0.2', '-0.30000000000000000001'],
        ['9007199254740991', '0.5', '67108864', '67108863'],
        ['nothing'],
        ['123456789012345678901234567890', '1'],
      ];
      const events = hours.flatMap((values, hour) =>
        values.map((v, index) => ({
          id: `${hour}-${index}`,
          source: 's',
          type: 'n',
          subject: `subject-${index}`,
          timeMs: START_MS + hour * 60 * MINUTE_MS + index,
          data: JSON.stringify({ v, k: `k${index}` }),
          ingestedAtMs: 0,
        })),
      );
      await store.append(events);
      await store.syncMeters([meter]);
      await expect.poll(() => store.upkeep()).toMatchObject({ unfoldedEvents: 0, backFillingMeters: 0 });
      const ask = async (fields: Partial<UsageQuery>) =>
        (await store.query(query({ meter, ...fields }))).map(({ value }) => value);
      const sums = [
        '27021597764222972',
        '-9007199254740993',
        '-0.00000000000000000001',
        '9007199388958718.5',
        undefined,
        '123456789012345678901234567891',
      ];
      const known = sums.filter((sum) => sum !== undefined);
      expect((await ask({ granularity: 'PT1H' })).filter((value) => value !== undefined)).toEqual(known);
      const all = known.reduce((sum, text) => sum.plus(text), new Decimal(0));
      expect(await ask({ granularity: 'P1D' })).toEqual([formatDecimal(all)]);
      expect(await ask({ granularity: 'P1D', timeZone: 'Asia/Kolkata' })).toEqual([formatDecimal(all)]);
      expect(await ask({})).toEqual([formatDecimal(all)]);
    } finally {
      await store.close();
    }
  });
});

test('SQLite: a reader that has ended is replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'queries-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'usage.sqlite');
  // There is no file yet: the thread cannot begin.
  const readers = startReaders({ path, maxRows: 10, maxCharacters: 1000 }, createThreads(), 1, {
    maxWaiting: 10,
    timeoutMs: 60_000,
    maxHeapMb: 256,
  });
  await expect(readers.ask({ kind: 'totals' })).rejects.toThrow();
  await (await openTestUsageStore(path, testClock())).close();
  expect(await readers.ask({ kind: 'totals' })).toEqual({ stored: 0, duplicates: 0 });
  await readers.close();
});
