import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  AnswerOrigin,
  MeterSpec,
  NewEvent,
  UsageQuery,
  UsageStore,
} from '../../../../backend/metering/usage-store/index.ts';
import { type TestClock, testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';

const DAY_MS = 86_400_000;
const MAX_VALUES = 20;
const METER: MeterSpec = {
  eventType: 't',
  aggregation: 'sum',
  valueProperty: '$.v',
  eventsFromMs: undefined,
  dimensions: { host: '$.host', route: '$.route' },
};

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let clock: TestClock;
  let store: UsageStore;
  let origin: AnswerOrigin | undefined;
  beforeEach(async () => {
    place = await engine.makePlace();
    clock = testClock('2026-01-15T00:00:00Z');
    store = await place.open(clock, {
      rollups: { maxDimensionValues: MAX_VALUES, generationEvents: 50 },
      onAnswer: (told) => {
        origin = told;
      },
    });
    await store.syncMeters([METER]);
  });
  afterEach(async () => {
    expect((await store.verify()).differences).toEqual([]);
    await store.close();
    await place.remove();
  });

  let lastId = 0;
  const send = async (values: readonly { host: string; route: string }[]) => {
    const events = values.map((data): NewEvent => {
      const id = `${++lastId}`;
      const timeMs = clock.nowMs();
      return {
        source: 's',
        id,
        type: 't',
        subject: 'x',
        timeMs,
        data: JSON.stringify({ v: 1, ...data }),
        ingestedAtMs: timeMs,
      };
    });
    await store.append(events);
  };
  const by = async (groupBy: string[], part: Partial<UsageQuery> = {}) => {
    const rows = await store.query({
      meter: METER,
      fromMs: undefined,
      toMs: undefined,
      granularity: undefined,
      timeZone: 'UTC',
      groupBy,
      groupBySubject: false,
      filters: {},
      ...part,
    });
    return Object.fromEntries(rows.map((row) => [Object.values(row.dimensions).join(' '), row.value]));
  };
  const flood = (prefix: string, count: number) =>
    send(Array.from({ length: count }, (_, index) => ({ host: `${prefix}-${index}`, route: `route-${index % 3}` })));
  const wide = async () => (await store.seriesProgress(METER))?.wideDimensions;
  const expireAll = async (beforeMs: number) => {
    while ((await store.expire(beforeMs)).state === 'more');
  };

  test('a dimension with very many values costs no other one anything, and takes no figure away that was there', async () => {
    await send(Array(4).fill({ host: 'a', route: 'route-0' }));
    await send([{ host: 'b', route: 'route-1' }]);
    const january = { fromMs: Date.parse('2026-01-01T00:00:00Z'), toMs: Date.parse('2026-02-01T00:00:00Z') };
    clock.advanceMs(31 * DAY_MS);
    await flood('flood', 100);
    expect(await wide()).toEqual(['host']);
    // What was told apart before still is, without the events.
    expect(await by(['host'], january)).toEqual({ a: '4', b: '1' });
    expect(origin).toMatchObject({ by: 'roll-ups', events: 0 });
    // The other dimension is as it was.
    expect(await by(['route'])).toEqual({ 'route-0': '38', 'route-1': '34', 'route-2': '33' });
    expect(origin).toMatchObject({ by: 'roll-ups', events: 0 });
    // And the values that came when there was no room are told by the events of their quarter of an hour.
    const all = await by(['host']);
    expect(Object.keys(all)).toHaveLength(102);
    expect(all).toMatchObject({ a: '4', b: '1', 'flood-0': '1', 'flood-99': '1' });
    expect(origin).toMatchObject({ by: 'roll-ups', events: 100 });
    expect(await by(['route'], { filters: { host: { eq: 'flood-99' } } })).toEqual({ 'route-0': '1' });
    // When the events are gone, only what needs them is.
    await send([{ host: 'a', route: 'route-0' }]);
    clock.advanceMs(60 * DAY_MS);
    await expireAll(clock.nowMs() - DAY_MS);
    expect(await by(['host'], january)).toEqual({ a: '4', b: '1' });
    expect(await by(['route'])).toEqual({ 'route-0': '39', 'route-1': '34', 'route-2': '33' });
    await expect(by(['host'])).rejects.toThrow(/no longer kept one by one/);
  });

  test('a dimension that was flooded recovers when the values of the flood were not seen for a week', async () => {
    await flood('flood', 100);
    await send([{ host: 'late', route: 'r' }]);
    expect(await wide()).toEqual(['host']);
    clock.advanceMs(9 * DAY_MS);
    await send(Array(3).fill({ host: 'late', route: 'r' }));
    expect(await wide()).toEqual([]);
    const since = { fromMs: clock.nowMs() - DAY_MS };
    expect(await by(['host'], since)).toEqual({ late: '3' });
    expect(origin).toMatchObject({ by: 'roll-ups', events: 0 });
    expect(await by([], {})).toEqual({ '': '104' });
  });

  test('a value is told apart by its first 1,024 characters, and makes nothing wide; the event keeps all of it', async () => {
    const long = `https://${'x'.repeat(1100)}`;
    await send([
      { host: `${long}1`, route: 'r' },
      { host: `${long}2`, route: 'r' },
      { host: 'short', route: 'r' },
    ]);
    expect(await wide()).toEqual([]);
    expect(await by(['host'])).toEqual({ [long.slice(0, 1024)]: '2', short: '1' });
    // The same where events are read.
    expect(await by(['host'], { granularity: 'PT1M' })).toEqual({ [long.slice(0, 1024)]: '2', short: '1' });
    expect(await by([], { filters: { host: { eq: `${long}1` } } })).toEqual({ '': '2' });
    const [event] = await store.list({ filters: [], sort: { field: 'stored_at', direction: 'asc' }, size: 1 });
    expect(event?.data).toContain(`${long}1`);
  });
});
