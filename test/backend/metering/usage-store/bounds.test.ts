import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  openSqliteUsageStore,
  type UsageQuery,
  type UsageStore,
} from '../../../../backend/metering/usage-store/index.ts';
import { fc } from '../../../support/property.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';
import { openTestUsageStore } from '../../../support/usage-store.ts';

const EVENTS = 8_000;
const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-11-01T00:00:00Z');

const query = (part: Partial<UsageQuery> = {}): UsageQuery => ({
  meter: { eventType: 't', aggregation: 'sum', valueProperty: '$.v', eventsFromMs: undefined, dimensions: {} },
  fromMs: undefined,
  toMs: undefined,
  granularity: 'PT1M',
  timeZone: 'UTC',
  groupBy: [],
  groupBySubject: false,
  filters: {},
  ...part,
});

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let store: UsageStore;
  const questions: string[] = [];
  const committed: number[] = [];
  beforeAll(async () => {
    place = await engine.makePlace();
    store = await place.open(testClock(), {
      readers: 1,
      maxWaitingQueries: 2,
      queryTimeoutMs: 1,
      watch: {
        onQuestion: ({ kind, outcome }) => questions.push(`${kind} ${outcome}`),
        onCommit: ({ events }) => committed.push(events),
      },
    });
    const events = Array.from({ length: EVENTS }, (_, index) => ({
      source: 's',
      id: `${index}`,
      type: 't',
      subject: `subject-${index % 20}`,
      timeMs: START_MS + (index % 50) * MINUTE_MS,
      data: JSON.stringify({ v: index }),
      ingestedAtMs: 0,
    }));
    await store.append(events);
  });
  afterAll(async () => {
    await store.close();
    await place.remove();
  });

  /** The outcomes since the last call. */
  const told = () => questions.splice(0);

  test('every event of a transaction is told', () => {
    expect(committed).toEqual([EVENTS]);
  });

  test('more queries than may wait are refused at once, and the others are answered', async () => {
    told();
    const asked = [1, 2, 3].map(() => store.query(query()));
    expect(store.load()).toMatchObject({ runningQuestions: 1, waitingQuestions: 2, maxWaitingQuestions: 2 });
    await expect(store.query(query())).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 1 });
    // Busy, and sound all the same.
    await store.check();
    for (const rows of await Promise.all(asked)) expect(rows).toHaveLength(50);
    expect(told().sort()).toEqual(['query answered', 'query answered', 'query answered', 'query refused']);
    expect(store.load()).toMatchObject({ runningQuestions: 0, waitingQuestions: 0 });
  });

  test('a query that a client waits for ends when it takes too long; one of our own does not', async () => {
    told();
    const client = new AbortController();
    await expect(store.query(query(), client.signal)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('longer than 1 ms'),
    });
    expect(await store.query(query())).toHaveLength(50);
    expect(told()).toEqual(['query cancelled', 'query answered']);
  });

  test('readings of one piece of work, asked for together, wait as one query and have the answers that each has alone', async () => {
    const minute = fc.integer({ min: 0, max: 50 });
    const reading = fc.record({ from: minute, length: minute, subject: fc.integer({ min: 0, max: 20 }) });
    const works = fc.array(fc.array(reading, { maxLength: 200 }), { minLength: 1, maxLength: 3 });
    const toQuery = ({ from, length, subject }: { from: number; length: number; subject: number }) =>
      query({
        granularity: undefined,
        fromMs: START_MS + from * MINUTE_MS,
        toMs: START_MS + (from + length + 1) * MINUTE_MS,
        subjects: [`subject-${subject}`],
      });
    const alone = new Map<string, unknown>();
    await fc.assert(
      fc.asyncProperty(works, async (readings) => {
        // One runs and two wait: as many as the bounds allow, each with far more readings.
        const answers = await Promise.all(readings.map((work) => store.queryAll(work.map(toQuery))));
        for (const [index, work] of readings.entries()) {
          expect(answers[index]).toHaveLength(work.length);
          for (const [position, one] of work.entries()) {
            const key = JSON.stringify(one);
            if (!alone.has(key)) alone.set(key, await store.query(toQuery(one)));
            expect(answers[index]?.[position]?.rows).toEqual(alone.get(key));
          }
        }
      }),
      { numRuns: process.env['LONG'] === '1' ? 200 : 10 },
    );
  });

  test('a query need not wait until work with many readings is done', async () => {
    const done: string[] = [];
    const asked = Array.from({ length: 6 }, () => query());
    const work = store.queryAll(asked).then((answers) => done.push(`work of ${answers.length}`));
    const other = store.query(query()).then(() => done.push('query'));
    await Promise.all([work, other]);
    expect(done).toEqual(['query', 'work of 6']);
  });

  test('a query ends when its client has gone', async () => {
    told();
    const client = new AbortController();
    const asked = store.query(query(), client.signal);
    client.abort();
    await expect(asked).rejects.toThrow('aborted');
    expect(told()).toEqual(['query cancelled']);
  });

  test('what is still to be done is told, until it is done', async () => {
    const meter = { ...query().meter, aggregation: 'max' } as const;
    await store.syncMeters([meter]);
    await expect
      .poll(() => store.upkeep())
      .toEqual({
        unfoldedEvents: 0,
        backFillingMeters: 0,
        backFillEventsLeft: 0,
        quartersToRecompute: 0,
        unknownMigrations: [],
      });
  });

  test('a transaction is bounded by what its events hold, too', async () => {
    const data = JSON.stringify({ v: 1, text: '-'.repeat(60_000) });
    committed.length = 0;
    const requests = Array.from({ length: 100 }, (_, index) =>
      store.append([
        { source: 'large', id: `${index}`, type: 'large', subject: 'x', timeMs: START_MS, data, ingestedAtMs: 0 },
      ]),
    );
    await Promise.all(requests);
    expect(committed.reduce((sum, events) => sum + events, 0)).toBe(100);
    expect(Math.max(...committed)).toBeLessThanOrEqual(18);
  });
});

test('SQLite: the death of the thread that writes is told, and fails whoever waits for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bounds-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ended = Promise.withResolvers<Error>();
  const dying = await openSqliteUsageStore(join(folder, 'dying.sqlite'), testClock(), {
    writerHeapMb: 24,
    onDeath: ended.resolve,
  });
  const data = JSON.stringify({ v: 'x'.repeat(5000) });
  const events = Array.from({ length: 20_000 }, (_, index) => ({
    source: 's',
    id: `${index}`,
    type: 't',
    subject: 'x',
    timeMs: START_MS,
    data: data.replace('x', `${index}`),
    ingestedAtMs: 0,
  }));
  await expect(dying.append(events)).rejects.toThrow(/memory/);
  expect((await ended.promise).message).toMatch(/memory/);
  await expect(dying.check()).rejects.toThrow(/memory/);
  await dying.close();
});

test('SQLite: a query that needs more memory than a thread may have fails alone, and says so', async () => {
  const ownFolder = mkdtempSync(join(tmpdir(), 'bounds-'));
  const own = await openTestUsageStore(join(ownFolder, 'usage.sqlite'), testClock(), {
    readerThreads: 1,
    readerHeapMb: 32,
  });
  try {
    const large = (id: number) => ({
      source: 's',
      id: `${id}`,
      type: 't',
      subject: 'subject',
      timeMs: START_MS,
      data: JSON.stringify({ v: 1, who: `${id}`.padEnd(8_000, '-') }),
      ingestedAtMs: 0,
    });
    for (let start = 0; start < 6000; start += 500) {
      await own.append(Array.from({ length: 500 }, (_, index) => large(start + index)));
    }
    const distinct = { ...query().meter, aggregation: 'unique_count', valueProperty: '$.who' } as const;
    const asked = own.query(query({ meter: distinct, granularity: undefined }));
    const next = own.query(query({ granularity: undefined }));
    await expect(asked).rejects.toMatchObject({
      kind: 'bad-request',
      message: expect.stringContaining('32 MB of memory'),
    });
    expect(await next).toMatchObject([{ value: '6000' }]);
    await own.check();
  } finally {
    await own.close();
    rmSync(ownFolder, { recursive: true });
  }
});
