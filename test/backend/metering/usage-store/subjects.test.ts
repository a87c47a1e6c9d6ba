import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LateEvent, MeterSpec, NewEvent, UsageStore } from '../../../../backend/metering/usage-store/index.ts';
import { testClock } from '../../../support/test-clock.ts';
import { USAGE_ENGINES, type UsagePlace } from '../../../support/usage-engines.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-01T00:00:00Z');
/** Two chunks that are written down, and a part of a third. */
const EVENTS = 40_000;
const SUBJECTS = 30;
const METER: MeterSpec = {
  eventType: 'a',
  aggregation: 'count',
  valueProperty: undefined,
  eventsFromMs: undefined,
  dimensions: {},
};

describe.each(USAGE_ENGINES)('$name', (engine) => {
  let place: UsagePlace;
  let store: UsageStore;
  const events: NewEvent[] = [];
  const voided = new Set<string>();
  beforeAll(async () => {
    place = await engine.makePlace();
    const clock = testClock();
    store = await place.open(clock);
    for (let index = 0; index < EVENTS; index++) {
      const isRare = index % 9001 === 17;
      events.push({
        source: 's',
        id: `e-${index}`,
        type: index % 3 === 0 ? 'b' : 'a',
        subject: isRare ? 'rare' : `subject-${index % SUBJECTS}`,
        // Mostly in order, some late.
        timeMs: START_MS + index * 60_000 - (index % 101 === 0 ? 5 * DAY_MS : 0),
        data: undefined,
        ingestedAtMs: 0,
      });
    }
    for (let done = 0; done < EVENTS; done += 8000) {
      await store.append(events.slice(done, done + 8000));
      clock.advanceMs(1000);
      // Some before their rows are written down, some after.
      if (done === 8000 || done === 32_000) {
        await makeVoid((event) => event.subject === 'subject-3', ['subject-3'], done + 8000, String(done));
      }
    }
  });
  afterAll(async () => {
    await store.close();
    await place.remove();
  });

  async function makeVoid(test: (event: NewEvent) => boolean, subjects: string[], upTo: number, id: string) {
    const selection = { filters: [], subjects };
    await store.corrections.correct({ id, action: 'void', reason: 'r', madeBy: 'm', note: '{}', selection });
    while ((await store.corrections.get(id))?.finishedAtMs === undefined);
    for (const event of events.slice(0, upTo)) if (test(event)) voided.add(event.id);
  }

  const naive = (test: (event: NewEvent) => boolean) => {
    const sums = new Map<string, { subject: string; count: number; voided: number; lastSeenAtMs: number }>();
    for (const event of events.filter(test)) {
      const sum = sums.get(event.subject) ?? { subject: event.subject, count: 0, voided: 0, lastSeenAtMs: 0 };
      if (voided.has(event.id)) sum.voided++;
      else sum.count++;
      sum.lastSeenAtMs = Math.max(sum.lastSeenAtMs, event.timeMs);
      sums.set(event.subject, sum);
    }
    return [...sums.values()].sort((a, b) => b.count - a.count || (a.subject < b.subject ? -1 : 1));
  };

  test('subjects seen are those of the events, in all time, on some days, of a type, with their void events', async () => {
    expect((await store.subjectsSeen({ limit: 1000 })).subjects).toEqual(naive(() => true));
    const [fromMs, toMs] = [START_MS + 10 * DAY_MS, START_MS + 13 * DAY_MS];
    const days = (event: NewEvent) => event.timeMs >= fromMs && event.timeMs < toMs;
    expect((await store.subjectsSeen({ fromMs: fromMs + 5000, toMs: toMs - 5000, limit: 1000 })).subjects).toEqual(
      naive(days),
    );
    const some = ['rare', 'subject-3', 'subject-7', 'nobody'];
    const ofSome = await store.subjectsSeen({ subjects: some, type: 'a', fromMs, toMs, limit: 1000 });
    expect(ofSome.subjects).toEqual(
      naive((event) => days(event) && event.type === 'a' && some.includes(event.subject)),
    );
    const others = await store.subjectsSeen({ prefix: 'subject-1', except: ['subject-1', 'subject-13'], limit: 2 });
    expect(others.total).toBe(9);
    expect(others.subjects).toEqual(
      naive(({ subject }) => subject.startsWith('subject-1') && !['subject-1', 'subject-13'].includes(subject)).slice(
        0,
        2,
      ),
    );
  });

  test('what a subject sent by type', async () => {
    const [a, b] = await store.typesSeen('rare');
    const count = (type: string) => events.filter((event) => event.subject === 'rare' && event.type === type).length;
    expect([a, b].map((seen) => seen && [seen.type, seen.count]).sort()).toEqual(
      [
        ['a', count('a')],
        ['b', count('b')],
      ].sort(),
    );
  });

  test('the events of a rare subject are listed in every order, and lead to its figures', async () => {
    const rare = events.filter((event) => event.subject === 'rare');
    expect(rare).toHaveLength(5);
    for (const field of ['time', 'stored_at'] as const) {
      for (const direction of ['asc', 'desc'] as const) {
        const found = await store.list({
          filters: [{ field: 'subject', operator: 'eq', values: ['rare'] }],
          sort: { field, direction },
          size: 100,
        });
        const expected = rare.map(({ id }) => id);
        expect(found.map(({ id }) => id)).toEqual(direction === 'asc' ? expected : expected.reverse());
      }
    }
    const scope = { meter: METER, fromMs: rare[1]?.timeMs, toMs: undefined, subjects: ['rare'] };
    const { events: behind } = await store.eventsBehind(scope, { size: 100 });
    expect(behind.map(({ event }) => event.id)).toEqual(
      rare
        .slice(1)
        .filter(({ type }) => type === 'a')
        .map(({ id }) => id),
    );
  });

  test('events that came late for a period are found among all that came since, by instant', async () => {
    const all = await store.list({ filters: [], sort: { field: 'stored_at', direction: 'asc' }, size: EVENTS });
    const at = all[23_999]?.storedAtMs ?? 0;
    const period = { meter: METER, fromMs: START_MS - 10 * DAY_MS, toMs: START_MS + 16 * DAY_MS };
    for (const subjects of [undefined, ['subject-3', 'subject-5', 'rare']]) {
      const late: LateEvent[] = [];
      for (let afterRow: number | undefined = 0; afterRow !== undefined; ) {
        const page: Awaited<ReturnType<UsageStore['lateEvents']>> = await store.lateEvents(
          { ...period, subjects },
          { atMs: at },
          { size: 50, afterRow },
        );
        late.push(...page.events);
        afterRow = page.nextRow;
      }
      const isInPeriod = ({ type, timeMs, subject }: NewEvent) =>
        type === 'a' && timeMs >= period.fromMs && timeMs < period.toMs && (subjects?.includes(subject) ?? true);
      const stored = events.slice(24_000).filter((event) => isInPeriod(event) && !voided.has(event.id));
      const since = events.slice(16_000, 24_000).filter((event) => isInPeriod(event) && voided.has(event.id));
      expect(late.filter(({ change }) => change === 'stored').map(({ event }) => event.id)).toEqual(
        stored.map(({ id }) => id),
      );
      expect(late.filter(({ change }) => change === 'voided').map(({ event }) => event.id)).toEqual(
        since.map(({ id }) => id),
      );
    }
  });
});
