import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { createEventGather, type GatheredEvent } from '../answering/event-gather.ts';
import type { QueryLimits } from '../answering/query-limits.ts';
import { type GroupedQuery, type QueryAnswer, toRows } from '../answering/usage-rows.ts';
import type { AnswerOrigin, UsageQuery } from '../types.ts';
import { refuseExpired } from './retention/complete-from.ts';

/** Answers a usage query by reading the stored events: the way for what roll-ups do not know. */
export function queryUsage(db: Sqlite, query: GroupedQuery, limits: QueryLimits): QueryAnswer {
  refuseExpired(db, query);
  const origin: AnswerOrigin = { by: 'events', events: 0, pendingEvents: 0 };
  const gather = createEventGather(query, limits);
  for (const event of untilCancelled(selectEvents(db, query), limits.isCancelled)) {
    origin.events++;
    gather.add(event);
  }
  return { rows: toRows(gather.groups(), query), origin };
}

function selectEvents(db: Sqlite, query: UsageQuery): IterableIterator<GatheredEvent> {
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
  const sql = `SELECT text AS subject, time_ms AS timeMs, data FROM events JOIN names ON name_id = subject WHERE ${conditions.join(' AND ')} ORDER BY row_id`;
  return db.prepare(sql).iterate(...params) as IterableIterator<GatheredEvent>;
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
