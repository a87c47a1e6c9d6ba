import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MeterSpec, NewEvent, UsageQuery, UsageStore } from '../../../../../backend/metering/usage-store/index.ts';
import { openPostgresUsageStore } from '../../../../../backend/metering/usage-store/postgres/postgres-usage-store.ts';
import { createDatabase, endConnections, hasPostgres } from '../../../../support/postgres-cluster.ts';
import { testClock } from '../../../../support/test-clock.ts';

const START_MS = Date.parse('2026-11-01T00:00:00Z');
const METER: MeterSpec = {
  eventType: 't',
  aggregation: 'sum',
  valueProperty: '$.v',
  eventsFromMs: undefined,
  dimensions: { route: '$.route' },
};
const QUERY: UsageQuery = {
  meter: METER,
  fromMs: undefined,
  toMs: undefined,
  granularity: undefined,
  timeZone: 'UTC',
  groupBy: [],
  groupBySubject: false,
  filters: {},
};

const event = (id: number, part: Partial<NewEvent> = {}): NewEvent => ({
  source: 's',
  id: `${id}`,
  type: 't',
  subject: `subject-${id % 7}`,
  timeMs: START_MS + id * 60_000,
  data: `{"v":0.1,"route":"route-${id % 5}"}`,
  ingestedAtMs: 0,
  ...part,
});

describe.skipIf(!hasPostgres)('several backends on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let stores: UsageStore[];
  const clock = testClock();
  const open = () => openPostgresUsageStore(database.url, clock);
  beforeEach(async () => {
    database = await createDatabase();
    stores = await Promise.all([open(), open(), open()]);
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await database.drop();
  });
  const folded = (store: UsageStore) => expect.poll(() => store.upkeep()).toMatchObject({ unfoldedEvents: 0 });

  test('each event counts once, whoever gets it and however often, and every one sees all figures', async () => {
    const [first] = stores as [UsageStore];
    await first.syncMeters([METER]);
    // Every batch goes to two of them at the same time, in another order.
    const batches = Array.from({ length: 12 }, (_, batch) =>
      Array.from({ length: 100 }, (__, index) => event((batch * 50 + index) % 500)),
    );
    const results = await Promise.all(
      batches.flatMap((batch, index) => [
        (stores[index % 3] as UsageStore).append(batch),
        (stores[(index + 1) % 3] as UsageStore).append(batch.toReversed()),
      ]),
    );
    expect(results.reduce((sum, { stored }) => sum + stored, 0)).toBe(500);
    for (const store of stores) {
      expect(await store.query(QUERY)).toMatchObject([{ value: '50' }]);
      expect(await store.totals()).toEqual({ stored: 500, duplicates: 24 * 100 - 500 });
    }
    await folded(first);
    for (const store of stores) {
      expect(await store.query(QUERY)).toMatchObject([{ value: '50' }]);
      expect((await store.verify()).differences).toEqual([]);
    }
  });

  test('an answer names its moment though transactions of others end later', async () => {
    const [first, second] = stores as [UsageStore, UsageStore];
    await first.append([event(1)]);
    const { snapshot } = await second.queryWithSnapshot(QUERY);
    await Promise.all([first.append([event(2)]), second.append([event(3)])]);
    const late = await first.lateEvents(QUERY, { snapshot }, { size: 10 });
    expect(late.events.map(({ event: { id } }) => id).sort()).toEqual(['2', '3']);
    const behind = await second.eventsBehind(QUERY, { size: 10 }, { snapshot });
    expect(behind.events.map(({ event: { id } }) => id)).toEqual(['1']);
  });

  test('an event without a time is known again after the turn of a month; with another time it is another', async () => {
    const [first, second] = stores as [UsageStore, UsageStore];
    const lastMs = Date.parse('2026-11-30T23:59:59.999Z');
    const timeless = (timeMs: number) => event(1, { timeMs, isTimeOfReceipt: true });
    const results = await Promise.all([first.append([timeless(lastMs)]), second.append([timeless(lastMs + 1)])]);
    expect(results.reduce((sum, { stored }) => sum + stored, 0)).toBe(1);
    expect(await first.append([event(1, { timeMs: lastMs + 86_400_000 * 40 })])).toEqual({ stored: 1, duplicates: 0 });
  });

  test('upkeep goes on elsewhere when the connections of the leader are lost, and nobody loses an answer for good', async () => {
    const [first, second] = stores as [UsageStore, UsageStore];
    await first.syncMeters([METER]);
    for (let round = 0; round < 5; round++) {
      await endConnections(database.url);
      const batch = Array.from({ length: 50 }, (_, index) => event(round * 50 + index));
      // What was cut off is told as such; sent again, it counts once.
      await expect
        .poll(async () => {
          try {
            return (await first.append(batch)).stored + (await second.append(batch)).duplicates > 0;
          } catch (error) {
            expect(error).toMatchObject({ kind: 'unavailable', retryAfterSeconds: expect.any(Number) });
            return false;
          }
        })
        .toBe(true);
    }
    await folded(second);
    expect(await second.query(QUERY)).toMatchObject([{ value: '25' }]);
    expect((await first.verify()).differences).toEqual([]);
  });
});
