import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type NewEvent,
  openSqliteUsageStore,
  type UsageQuery,
  type UsageStore,
} from '../../backend/usage-store/index.ts';
import { testClock } from '../support/test-clock.ts';
import { naiveUsage } from './naive-usage.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-03-27T00:00:00Z');

/** Decimal text with up to 19 fractional digits, as JSON literals and strings. */
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: 0, max: 19 }))
  .map(([digits, scale]) => {
    const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
    const fraction = scale === 0 ? '' : `.${text.slice(-scale)}`;
    return `${digits < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${fraction}`;
  });
const value = fc.oneof(
  { weight: 6, arbitrary: decimal },
  { weight: 3, arbitrary: decimal.map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.constantFrom('null', 'true', '"x"', '""', '{}', '[]', '"NaN"', '1e3', undefined) },
);
const event = fc.record({
  id: fc.integer({ min: 0, max: 40 }).map(String),
  source: fc.constantFrom('a', 'b'),
  type: fc.constantFrom('t', 't', 't', 'other'),
  subject: fc.constantFrom('alice', 'bob', 'carol'),
  offset: fc.integer({ min: 0, max: 5 * 24 * 60 }),
  value,
  model: fc.constantFrom('"x"', '"y"', '7', 'null', undefined),
});
const query = fc.record({
  aggregation: fc.constantFrom('sum', 'count', 'unique_count', 'avg', 'min', 'max', 'latest' as const),
  from: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
  length: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  eventsFrom: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
  granularity: fc.constantFrom(undefined, 'PT1M', 'PT1H', 'P1D', 'P1M' as const),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns'),
  groupByModel: fc.boolean(),
  groupBySubject: fc.boolean(),
  subjects: fc.option(fc.subarray(['alice', 'bob', 'nobody']), { nil: undefined }),
  model: fc.constantFrom(undefined, { eq: 'x' }, { neq: '' }, { or: [{ eq: '7' }, { contains: 'u' }] }),
});

let folder: string;
let store: UsageStore;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'usage-'));
  // Small tables of hashes, so that the histories cross from memory to segments on disk many times.
  store = await openSqliteUsageStore(join(folder, 'usage.sqlite'), testClock(), { dedupeMemTableEntries: 300 });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

test('random events and queries give the figures of a plain scan', async () => {
  let run = 0;
  const histories = fc.array(fc.array(event, { maxLength: 15 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(histories, fc.array(query, { minLength: 1, maxLength: 8 }), async (batches, queries) => {
      // Each history has types and sources of its own; it shares the file with all others.
      run++;
      const all = batches.map((batch) => batch.map((item) => toEvent(item, run)));
      let stored = 0;
      for (const batch of all) stored += (await store.append(batch)).stored;
      const distinct = new Set(all.flat().map((item) => JSON.stringify([item.source, item.id])));
      expect(stored).toBe(distinct.size);
      for (const spec of queries) {
        const request = toQuery(spec, run);
        expect(await store.query(request)).toEqual(naiveUsage(all.flat(), request));
      }
    }),
    { numRuns: process.env['LONG'] === '1' ? 5000 : 400 },
  );
});

function toEvent(item: typeof event extends fc.Arbitrary<infer T> ? T : never, run: number): NewEvent {
  const fields = [
    ...(item.value === undefined ? [] : [`"v":${item.value}`]),
    ...(item.model === undefined ? [] : [`"model":${item.model}`]),
  ];
  return {
    id: item.id,
    source: `${item.source}-${run}`,
    type: `${item.type}-${run}`,
    subject: item.subject,
    timeMs: START_MS + item.offset * 60_000,
    data: `{${fields.join(',')}}`,
    ingestedAtMs: 0,
  };
}

function toQuery(spec: typeof query extends fc.Arbitrary<infer T> ? T : never, run: number): UsageQuery {
  const fromMs = spec.from === undefined ? undefined : START_MS + spec.from * HOUR_MS + 1;
  const base = fromMs ?? START_MS;
  return {
    meter: {
      eventType: `t-${run}`,
      aggregation: spec.aggregation as UsageQuery['meter']['aggregation'],
      valueProperty: spec.aggregation === 'count' ? undefined : '$.v',
      eventsFromMs: spec.eventsFrom === undefined ? undefined : START_MS + spec.eventsFrom * HOUR_MS,
      dimensions: { model: '$.model' },
    },
    fromMs,
    toMs: spec.length === undefined ? undefined : base + spec.length * HOUR_MS,
    granularity: spec.granularity as UsageQuery['granularity'],
    timeZone: spec.timeZone,
    groupBy: spec.groupByModel ? ['model'] : [],
    groupBySubject: spec.groupBySubject,
    filters: spec.model === undefined ? {} : { model: spec.model },
    subjects: spec.subjects,
  };
}
