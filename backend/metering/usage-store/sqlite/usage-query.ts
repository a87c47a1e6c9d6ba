import { windowFinder } from '../../../platform/calendar-windows.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { type Accumulator, AGGREGATIONS } from '../aggregations/index.ts';
import { passesFilter } from '../dimension-filter.ts';
import { parseData } from '../event-data.ts';
import { compileJsonPath, type ReadPath } from '../json-path.ts';
import { readDimensionValue } from '../meter-value.ts';
import type { AnswerOrigin, UsageQuery } from '../types.ts';
import { createRoom, type QueryLimits } from './query-limits.ts';
import { refuseExpired } from './retention/complete-from.ts';
import {
  type GroupedQuery,
  OTHERS_KEY,
  type QueryAnswer,
  subjectKey,
  toRows,
  type UsageGroup,
  valuesKey,
} from './usage-rows.ts';

interface EventRow {
  subject: string;
  time_ms: number;
  data: string | null;
}

interface Group extends UsageGroup {
  accumulator: Accumulator;
}

/** Answers a usage query by reading the stored events: the way for what roll-ups do not know. */
export function queryUsage(db: Sqlite, query: GroupedQuery, limits: QueryLimits): QueryAnswer {
  refuseExpired(db, query);
  const origin: AnswerOrigin = { by: 'events', events: 0, pendingEvents: 0 };
  const events = untilCancelled(selectEvents(db, query), limits.isCancelled);
  const groups = gather(counted(events, origin), query, limits);
  return { rows: toRows(groups.values(), query), origin };
}

function selectEvents(db: Sqlite, query: UsageQuery): IterableIterator<EventRow> {
  const { meter } = query;
  const conditions = ['type = (SELECT name_id FROM names WHERE text = ?)', 'voided_by IS NULL'];
  const params: unknown[] = [meter.eventType];
  const fromMs = Math.max(query.fromMs ?? Number.NEGATIVE_INFINITY, meter.eventsFromMs ?? Number.NEGATIVE_INFINITY);
  if (Number.isFinite(fromMs)) {
    conditions.push('time_ms >= ?');
    params.push(fromMs);
  }
  if (query.toMs !== undefined) {
    conditions.push('time_ms < ?');
    params.push(query.toMs);
  }
  if (query.subjects !== undefined) {
    conditions.push('subject IN (SELECT name_id FROM names JOIN json_each(?) ON text = value)');
    params.push(JSON.stringify(query.subjects));
  }
  // The order of storing decides between values of "latest" with equal times.
  const sql = `SELECT text AS subject, time_ms, data FROM events JOIN names ON name_id = subject WHERE ${conditions.join(' AND ')} ORDER BY row_id`;
  return db.prepare(sql).iterate(...params) as IterableIterator<EventRow>;
}

/** Looking at the flag costs little, but not nothing. */
const EVENTS_BETWEEN_LOOKS = 1024;

export function* untilCancelled<T>(items: Iterable<T>, isCancelled: () => boolean): Generator<T> {
  let count = 0;
  for (const item of items) {
    if (++count % EVENTS_BETWEEN_LOOKS === 0 && isCancelled()) throw new Error('the query was cancelled');
    yield item;
  }
}

function* counted<T>(items: Iterable<T>, origin: AnswerOrigin): Generator<T> {
  for (const item of items) {
    origin.events++;
    yield item;
  }
}

function gather(events: Iterable<EventRow>, query: GroupedQuery, limits: QueryLimits): Map<string, Group> {
  const { meter } = query;
  const readValue = meter.valueProperty === undefined ? () => undefined : compileJsonPath(meter.valueProperty);
  const filters = Object.entries(query.filters).map(([name, filter]) => ({
    read: dimensionReader(query, name),
    filter,
  }));
  const grouped = query.groupBy.map((name) => ({ name, read: dimensionReader(query, name) }));
  const findWindow = query.granularity && windowFinder(query.granularity, query.timeZone);
  const groups = new Map<string, Group>();
  const takeRoom = createRoom(limits, query.groupBy);
  for (const event of events) {
    const data = parseData(event.data);
    if (!filters.every(({ read, filter }) => passesFilter(readDimensionValue(read(data)), filter))) continue;
    const values = grouped.map(({ read }) => readDimensionValue(read(data)));
    const window = findWindow?.(event.time_ms);
    const subject = query.groupBySubject ? event.subject : undefined;
    const subjectGroup = query.subjectGroups?.get(event.subject);
    const own = subjectKey(subject, subjectGroup) + valuesKey(values);
    const isApart = query.apart?.has(own) ?? true;
    const key = `${window === undefined ? '' : window.fromMs}${isApart ? own : OTHERS_KEY}`;
    let group = groups.get(key);
    if (group === undefined) {
      const dimensions = Object.fromEntries(grouped.map(({ name }, index) => [name, values[index] ?? '']));
      const labels = isApart
        ? {
            dimensions,
            ...(subject !== undefined && { subject }),
            ...(subjectGroup !== undefined && { subjectGroup }),
          }
        : { dimensions: {} };
      const accumulator = AGGREGATIONS[meter.aggregation].accumulate(meter.valueProperty ?? '');
      const { result } = accumulator;
      group = { window, labels, accumulator, result, firstMs: event.time_ms, lastMs: event.time_ms };
      groups.set(key, group);
      takeRoom(key);
    }
    group.accumulator.add(readValue(data), event.time_ms);
    group.firstMs = Math.min(group.firstMs, event.time_ms);
    group.lastMs = Math.max(group.lastMs, event.time_ms);
  }
  return groups;
}

function dimensionReader(query: UsageQuery, name: string): ReadPath {
  const path = query.meter.dimensions[name];
  if (path === undefined) throw new Error(`the meter has no dimension "${name}"`);
  return compileJsonPath(path);
}
