import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { EventListQuery, UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import { listEvents } from '../../../../backend/metering/usage-store/sqlite/event-list.ts';
import { openSqliteReader } from '../../../../backend/platform/db/sqlite.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';
import { openTestUsageStore } from '../../../support/usage-store.ts';

// More than the first two stretches of a walk (1,000 and 4,000), less than the third.
const EVENTS = 7_000;
const START_MS = Date.parse('2026-11-01T00:00:00Z');

// Neither in the order of time, nor each at its own.
const events = Array.from({ length: EVENTS }, (_, index) => ({
  source: 's',
  id: `${index}`,
  type: index % 1500 === 3 ? 'rare' : 'common',
  subject: `subject-${index % 20}`,
  timeMs: START_MS + ((index * 7919) % 3001) * 1000,
  data: undefined,
  ingestedAtMs: 0,
}));

const LATER = new Date(START_MS + 1_500_000).toISOString();
type Filter = EventListQuery['filters'][number];
const FILTERS: { filters: Filter[]; passes: (event: (typeof events)[number]) => boolean }[] = [
  { filters: [], passes: () => true },
  { filters: [{ field: 'type', operator: 'eq', values: ['rare'] }], passes: ({ type }) => type === 'rare' },
  { filters: [{ field: 'id', operator: 'contains', values: ['99'] }], passes: ({ id }) => id.includes('99') },
  { filters: [{ field: 'type', operator: 'eq', values: ['none'] }], passes: () => false },
  {
    filters: [
      { field: 'type', operator: 'neq', values: ['common'] },
      { field: 'time', operator: 'gte', values: [LATER] },
    ],
    passes: ({ type, timeMs }) => type === 'rare' && timeMs >= Date.parse(LATER),
  },
];

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let store: UsageStore;
  beforeAll(async () => {
    place = await engine.makePlace();
    store = await place.open(testClock());
    await store.append(events);
  });
  afterAll(async () => {
    await store.close();
    await place.remove();
  });

  test.each(['asc', 'desc'] as const)(
    'pages of every filter, %s, hold what passes, once and in order',
    async (direction) => {
      for (const { filters, passes } of FILTERS) {
        for (const field of ['time', 'stored_at'] as const) {
          const sign = direction === 'asc' ? 1 : -1;
          const expected = events
            .map((event, index) => ({ id: event.id, timeMs: event.timeMs, row: index, passes: passes(event) }))
            .filter((event) => event.passes)
            .sort((a, b) => sign * ((field === 'time' ? a.timeMs - b.timeMs : 0) || a.row - b.row))
            .map(({ id }) => id);
          const found: string[] = [];
          let after: EventListQuery['after'];
          do {
            const query: EventListQuery = { filters, sort: { field, direction }, size: 700, ...(after && { after }) };
            const page = await store.list(query);
            found.push(...page.map(({ id }) => id));
            const last = page.length === 700 ? page.at(-1) : undefined;
            after = last && { rowId: last.rowId, atMs: field === 'time' ? last.timeMs : last.storedAtMs };
          } while (after !== undefined);
          expect({ filters, field, found }).toEqual({ filters, field, found: expected });
        }
      }
    },
  );
});

test('SQLite: a list that nobody waits for any more ends between two stretches, one that is full before is answered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'event-list-'));
  const path = join(folder, 'usage.sqlite');
  const store = await openTestUsageStore(path, testClock());
  await store.append(events);
  const db = openSqliteReader(path);
  onTestFinished(async () => {
    db.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const list = (filter: Filter, isCancelled: () => boolean) =>
    listEvents(db, { filters: [filter], sort: { field: 'time', direction: 'desc' }, size: 100 }, isCancelled);
  const never = (): boolean => {
    throw new Error('nothing was left to walk through');
  };
  expect(() => list({ field: 'id', operator: 'contains', values: ['none'] }, () => true)).toThrow('cancelled');
  expect(list({ field: 'type', operator: 'eq', values: ['common'] }, never)).toHaveLength(100);
  // No name passes, so that no event is looked at.
  expect(list({ field: 'type', operator: 'contains', values: ['none'] }, never)).toEqual([]);
  expect(list({ field: 'subject', operator: 'eq', values: ['subject-7'] }, never)).toHaveLength(100);
});
