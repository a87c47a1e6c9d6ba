import { expect, onTestFinished, test } from 'vitest';
import type {
  AnswerOrigin,
  CountedEventPosition,
  NewEvent,
  UsageQuery,
  UsageStore,
} from '../../backend/metering/usage-store/index.ts';
import { fc } from '../support/property.ts';
import { testClock } from '../support/test-clock.ts';
import { USAGE_ENGINES, type UsageEngine, type UsagePlace } from '../support/usage-engines.ts';
import { naiveBreakdown, naiveEventsBehind, naiveUsage } from './naive-usage.ts';

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
  // Minutes: mostly within five days, some late, some in the future.
  offset: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 5 * 24 * 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: -100 * 24 * 60, max: 200 * 24 * 60 }) },
  ),
  milliseconds: fc.constantFrom(0, 0, 1, 59_999),
  value,
  model: fc.constantFrom('"x"', '"y"', '7', 'null', undefined),
});
const query = fc.record({
  aggregation: fc.constantFrom('sum', 'count', 'unique_count', 'avg', 'min', 'max', 'latest' as const),
  from: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
  length: fc.option(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 3000 })), { nil: undefined }),
  eventsFrom: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
  granularity: fc.constantFrom(undefined, 'PT1M', 'PT1H', 'P1D', 'P1M' as const),
  timeZone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'America/St_Johns',
  ),
  groupByModel: fc.boolean(),
  groupBySubject: fc.boolean(),
  subjects: fc.option(fc.subarray(['alice', 'bob', 'nobody']), { nil: undefined }),
  model: fc.constantFrom(undefined, { eq: 'x' }, { neq: '' }, { or: [{ eq: '7' }, { contains: 'u' }] }),
});

const correction = fc.record({
  action: fc.constantFrom('void', 'void', 'restore' as const),
  /** After which batch. */
  at: fc.integer({ min: 0, max: 5 }),
  ids: fc.option(fc.array(fc.integer({ min: 0, max: 40 }).map(String), { minLength: 1, maxLength: 5 }), {
    nil: undefined,
  }),
  subject: fc.constantFrom(undefined, 'alice', 'bob'),
  /** Hours. */
  from: fc.option(fc.integer({ min: -10, max: 120 }), { nil: undefined }),
  to: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
});

/** Sizes so small that a few events make generations, folds, wide dimensions and steps of back-filling. */
const sizes = fc.record({
  generationEvents: fc.integer({ min: 1, max: 30 }),
  generationDeltas: fc.integer({ min: 1, max: 10 }),
  foldRowsPerStep: fc.integer({ min: 1, max: 20 }),
  backFillEventsPerStep: fc.integer({ min: 40, max: 400 }),
  foldRowsPerEvent: fc.integer({ min: 0, max: 8 }),
});
const history = fc.record({
  batches: fc.array(fc.array(event, { maxLength: 15 }), { maxLength: 5 }),
  queries: fc.array(query, { minLength: 1, maxLength: 8 }),
  corrections: fc.array(correction, { maxLength: 4 }),
  /** After which batch a moment is remembered. */
  momentAt: fc.integer({ min: 0, max: 5 }),
  /** Before which batch the meters are made known; after the last one too. */
  meterAt: fc.integer({ min: 0, max: 5 }),
  /** Before which batch the store is closed and opened with other sizes; rarely at all. */
  restartAt: fc.oneof(
    { weight: 7, arbitrary: fc.constant(-1) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 }) },
  ),
  sizes,
});

let engine: UsageEngine;
let place: UsagePlace;
let store: UsageStore;
let origin: AnswerOrigin | undefined;
const troubles: string[] = [];
const identityOf = (item: NewEvent) => engine.identityOf(item);
const open = async (rollups: Partial<typeof sizes extends fc.Arbitrary<infer T> ? T : never>) => {
  // Small tables of hashes, so that the histories cross from memory to segments on disk many times.
  store = await place.open(testClock(), {
    dedupeMemTableEntries: 300,
    correctionSliceEvents: 3,
    rollups,
    onTrouble: (reason) => troubles.push(reason),
    onAnswer: (answered) => {
      origin = answered;
    },
  });
};

test.each(USAGE_ENGINES)(
  '$name: random events and queries give the figures of a plain scan, and roll-ups answer them',
  {
    timeout: 3_600_000,
  },
  async (tested) => {
    engine = tested;
    place = await engine.makePlace();
    await open({ generationEvents: 20, foldRowsPerStep: 7, backFillEventsPerStep: 100, foldRowsPerEvent: 1 });
    onTestFinished(async () => {
      await store.close();
      await place.remove();
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        history,
        async ({ batches, queries, corrections, momentAt, meterAt, restartAt, sizes: rollups }) => {
          // Each history has types and sources of its own; it shares the file with all others.
          run++;
          const requests = queries.map((spec) => toQuery(spec, run));
          const model = { all: [] as NewEvent[], voided: new Set<string>() };
          let stored = 0;
          let then: { snapshot: string; behind: Set<string>[] } | undefined;
          for (let index = 0; index <= 5; index++) {
            if (index === restartAt) {
              await store.close();
              await open(rollups);
            }
            if (index === meterAt) await store.syncMeters(requests.map(({ meter }) => meter));
            const batch = (batches[index] ?? []).map((item) => toEvent(item, run));
            model.all.push(...batch);
            stored += (await store.append(batch)).stored;
            const due = corrections.filter(({ at }) => at === index);
            for (const [number, spec] of due.entries()) {
              const id = `${run}-${index}-${number}`;
              const changed = await correct(id, spec, run);
              expect(changed).toBe(correctModel(model, spec));
            }
            // In the midst of folding, back-filling and computing anew.
            const request = requests[index % requests.length] as UsageQuery;
            expect(await store.query(request)).toEqual(naiveUsage(model.all, request, model.voided, identityOf));
            const breakdown = { ...request, top: 2 };
            expect(await store.breakdown(breakdown)).toEqual(
              naiveBreakdown(model.all, breakdown, model.voided, identityOf),
            );
            if (index === momentAt) {
              const { snapshot } = await store.queryWithSnapshot(request);
              then = {
                snapshot,
                behind: requests.map((scope) => naiveEventsBehind(model.all, scope, model.voided, identityOf)),
              };
            }
          }
          const distinct = new Set(model.all.map(identityOf));
          expect(stored).toBe(distinct.size);
          for (const { meter } of requests) while (!(await store.seriesProgress(meter))?.isFinished);
          for (const [number, request] of requests.entries()) {
            expect(await store.query(request)).toEqual(naiveUsage(model.all, request, model.voided, identityOf));
            expect(origin?.by).toBe(request.granularity === 'PT1M' ? 'events' : 'roll-ups');
            const breakdown = { ...request, top: 1 + (number % 3) };
            expect(await store.breakdown(breakdown)).toEqual(
              naiveBreakdown(model.all, breakdown, model.voided, identityOf),
            );
            await checkTracing(request, model, then, number);
          }
          if (run % 20 === 0) expect((await store.verify()).differences).toEqual([]);
          expect(troubles).toEqual([]);
        },
      ),
      { numRuns: process.env['LONG'] === '1' ? 1500 : 50 },
    );
  },
);

interface Model {
  all: NewEvent[];
  voided: Set<string>;
}
type CorrectionSpec = typeof correction extends fc.Arbitrary<infer T> ? T : never;

/** Corrects, and waits until all slices are done; in between the store may be closed. @returns how many events changed */
async function correct(id: string, { action, ids, subject, from, to }: CorrectionSpec, run: number): Promise<number> {
  const instant = (hours: number) => new Date(START_MS + hours * HOUR_MS).toISOString();
  await store.corrections.correct({
    id,
    action: action as 'void' | 'restore',
    reason: 'test',
    madeBy: 'test',
    note: '{}',
    selection: {
      filters: [
        { field: 'source', operator: 'oeq', values: [`a-${run}`, `b-${run}`] },
        ...(ids === undefined ? [] : [{ field: 'id' as const, operator: 'oeq' as const, values: ids }]),
        ...(from === undefined ? [] : [{ field: 'time' as const, operator: 'gte' as const, values: [instant(from)] }]),
        ...(to === undefined ? [] : [{ field: 'time' as const, operator: 'lt' as const, values: [instant(to)] }]),
      ],
      subjects: subject === undefined ? undefined : [subject],
    },
  });
  if (run % 40 === 0) {
    await store.close();
    await open({ generationEvents: 15, foldRowsPerStep: 5 });
  }
  for (;;) {
    const made = await store.corrections.get(id);
    if (made?.finishedAtMs !== undefined) return made.events;
  }
}

/** The same, said plainly. */
function correctModel({ all, voided }: Model, { action, ids, subject, from, to }: CorrectionSpec): number {
  let changed = 0;
  const seen = new Set<string>();
  for (const event of all) {
    const identity = identityOf(event);
    if (seen.has(identity)) continue;
    seen.add(identity);
    if (ids !== undefined && !ids.includes(event.id)) continue;
    if (subject !== undefined && event.subject !== subject) continue;
    if (from !== undefined && event.timeMs < START_MS + from * HOUR_MS) continue;
    if (to !== undefined && event.timeMs >= START_MS + to * HOUR_MS) continue;
    if (voided.has(identity) === (action === 'void')) continue;
    if (action === 'void') voided.add(identity);
    else voided.delete(identity);
    changed++;
  }
  return changed;
}

/** A figure leads to its events, and to those that have changed it since a moment. */
async function checkTracing(
  scope: UsageQuery,
  { all, voided }: Model,
  then: { snapshot: string; behind: Set<string>[] } | undefined,
  number: number,
): Promise<void> {
  const now = naiveEventsBehind(all, scope, voided, identityOf);
  expect(await behind(scope)).toEqual(now);
  if (then === undefined) return;
  const before = then.behind[number] ?? new Set();
  expect(await behind(scope, { snapshot: then.snapshot })).toEqual(before);
  const late = new Map<string, string>();
  for (let afterRow: number | undefined = 0; afterRow !== undefined; ) {
    const since = { snapshot: then.snapshot };
    const page: Awaited<ReturnType<UsageStore['lateEvents']>> = await store.lateEvents(scope, since, {
      size: 5,
      afterRow,
    });
    for (const { event: found, change } of page.events) late.set(identityOf(found), change);
    afterRow = page.nextRow;
  }
  const isIn = (change: string) => change !== 'voided';
  const expected = [...new Set([...before, ...now])].filter((identity) => before.has(identity) !== now.has(identity));
  expect(new Map([...late].map(([identity, change]) => [identity, isIn(change)]))).toEqual(
    new Map(expected.map((identity) => [identity, now.has(identity)])),
  );
}

async function behind(scope: UsageQuery, moment?: { snapshot: string }): Promise<Set<string>> {
  const found = new Set<string>();
  let after: CountedEventPosition | undefined;
  do {
    const page = await store.eventsBehind(scope, { size: 7, after }, moment);
    for (const { event: counted } of page.events) found.add(identityOf(counted));
    after = page.next;
  } while (after !== undefined);
  return found;
}

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
    timeMs: START_MS + item.offset * 60_000 + item.milliseconds,
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
