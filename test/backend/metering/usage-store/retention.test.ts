import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MeterSpec, NewEvent, UsageQuery, UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import { type TestClock, testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const METER: MeterSpec = {
  eventType: 't',
  aggregation: 'sum',
  valueProperty: '$.v',
  eventsFromMs: undefined,
  dimensions: { route: '$.route' },
};

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let clock: TestClock;
  let store: UsageStore;
  beforeEach(async () => {
    place = await engine.makePlace();
    clock = testClock('2026-01-01T00:00:00Z');
    await open();
    await store.syncMeters([METER]);
  });
  afterEach(async () => {
    await store.close();
    await place.remove();
  });

  const open = async () => {
    store = await place.open(clock, { dedupeMemTableEntries: 500 });
  };
  const query = (part: Partial<UsageQuery> = {}): UsageQuery => ({
    meter: METER,
    fromMs: undefined,
    toMs: undefined,
    granularity: undefined,
    timeZone: 'UTC',
    groupBy: [],
    groupBySubject: false,
    filters: {},
    ...part,
  });
  const event = (id: string, timeMs: number): NewEvent => ({
    source: 's',
    id,
    type: 't',
    subject: `subject-${id.length % 3}`,
    timeMs,
    data: '{"v":1,"route":"x"}',
    ingestedAtMs: clock.nowMs(),
  });

  /** Ten days of 500 events, stored as they happen; one is of the far future, one of the second day late. */
  async function tenDays(): Promise<void> {
    for (let day = 0; day < 10; day++) {
      const events = Array.from({ length: 500 }, (_, index) =>
        event(`${day}-${index}`, START_MS + day * DAY_MS + index * 100_000),
      );
      if (day === 0) events.push(event('future', START_MS + 400 * DAY_MS));
      if (day === 8) events.push(event('late', START_MS + DAY_MS + 1));
      await store.append(events);
      clock.advanceMs(DAY_MS);
    }
  }

  /** Until nothing is due; what still needs the events is waited for. */
  async function expireAll(beforeMs: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const step = await store.expire(beforeMs);
      removed += step.removed;
      if (step.state === 'done') return removed;
    }
  }

  const stored = async () =>
    (await store.list({ filters: [], sort: { field: 'time', direction: 'asc' }, size: 10_000 })).length;

  test('old events go, their figures stay, also after a restart and for what is stored later', async () => {
    await tenDays();
    const figures = async () => [
      await store.query(query({ granularity: 'P1D' })),
      await store.query(query({ groupBySubject: true, groupBy: ['route'], granularity: 'P1D' })),
      await store.query(query({ fromMs: START_MS + 6 * 3_600_000, granularity: 'PT1H' })),
      await store.query(query({ fromMs: START_MS + 7 * DAY_MS + 1, granularity: 'PT1M' })),
    ];
    const before = await figures();
    // By the middle of the seventh day, which is cut to whole quarters of an hour.
    const removed = await expireAll(START_MS + 6 * DAY_MS + 123_456);
    expect(removed).toBe(3000);
    expect(await stored()).toBe(5002 - 3000);
    expect(await figures()).toEqual(before);
    expect(await expireAll(START_MS + 6 * DAY_MS + 123_456)).toBe(0);
    expect((await store.verify()).differences).toEqual([]);
    await store.close();
    await open();
    expect(await figures()).toEqual(before);
    // The future one and the late one are known, old ones are not any more.
    const again = [
      event('future', START_MS + 400 * DAY_MS),
      event('late', START_MS + DAY_MS + 1),
      event('9-1', START_MS + 9 * DAY_MS + 100_000),
    ];
    expect(await store.append(again)).toEqual({ stored: 0, duplicates: 3 });
    expect(await store.append([event('new', START_MS + 11 * DAY_MS)])).toEqual({ stored: 1, duplicates: 0 });
    expect((await store.verify()).differences).toEqual([]);
  });

  test('what would need removed events is refused instead of being too small', async () => {
    await tenDays();
    await expireAll(START_MS + 6 * DAY_MS);
    const needsEvents = [
      query({ fromMs: START_MS + 1 }),
      query({ toMs: START_MS + 3 * DAY_MS + 1 }),
      query({ granularity: 'PT1M' }),
    ];
    for (const request of needsEvents) {
      await expect(store.query(request)).rejects.toMatchObject({
        kind: 'bad-request',
        message: expect.stringContaining('Events before 2026-01-07T00:00:00Z are no longer kept'),
      });
    }
    expect(await store.query(query({ fromMs: START_MS + 6 * DAY_MS + 1, granularity: 'PT1M' }))).not.toEqual([]);
    expect(await store.query(query({ toMs: START_MS + 3 * DAY_MS }))).toMatchObject([{ value: '1501' }]);
  });

  test('a meter that comes later counts what is kept', async () => {
    await tenDays();
    await expireAll(START_MS + 6 * DAY_MS);
    const later = { ...METER, aggregation: 'count' as const, valueProperty: undefined };
    await store.syncMeters([METER, later]);
    while (!(await store.seriesProgress(later))?.isFinished);
    expect(await store.query(query({ meter: later }))).toMatchObject([{ value: String(await stored()) }]);
  });

  test('events of an incomplete time cannot be made void; those after it can, and figures follow', async () => {
    await tenDays();
    await expireAll(START_MS + 6 * DAY_MS);
    const selection = { filters: [], subjects: ['subject-0', 'subject-1', 'subject-2'] };
    const kept = await stored();
    await store.corrections.correct({ id: 'c', action: 'void', reason: 'r', madeBy: 'm', note: '{}', selection });
    // All but the late one of the second day.
    expect((await store.corrections.get('c'))?.events).toBe(kept - 1);
    expect(await store.query(query())).toMatchObject([{ value: '3001' }]);
    while ((await store.verify()).waiting > 0);
    expect(await store.query(query())).toMatchObject([{ value: '3001' }]);
    expect((await store.verify()).differences).toEqual([]);
  });

  test('rows and figures go on when old events are gone', async () => {
    await store.append([event('a', START_MS), event('b', START_MS + 1)]);
    const list = () => store.list({ filters: [], sort: { field: 'stored_at', direction: 'asc' }, size: 10 });
    const before = (await list()).map(({ rowId }) => rowId);
    expect(before).toHaveLength(2);
    clock.advanceMs(10 * DAY_MS);
    await expireAll(START_MS + 9 * DAY_MS);
    await store.append([event('c', START_MS + 9 * DAY_MS)]);
    const after = await list();
    expect(after.at(-1)).toMatchObject({ id: 'c' });
    // A number is never given twice, whatever is left of the old ones.
    expect(after.at(-1)?.rowId).toBeGreaterThan(Math.max(...before));
    expect(await store.query(query())).toMatchObject([{ value: '3' }]);
  });
});
