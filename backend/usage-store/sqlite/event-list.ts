import type { Sqlite } from '../../platform/db/sqlite.ts';
import type { EventPosition, StoredEvent } from '../types.ts';
import { type EventRowsQuery, eventSource } from './event-conditions.ts';
import { untilCancelled } from './usage-query.ts';

interface EventRow {
  row_id: number;
  source: string;
  id: string;
  type: string;
  subject: string;
  time_ms: number;
  data: string | null;
  ingested_at_ms: number;
  stored_at_ms: number;
  correction_id: string | null;
  reason: string;
  made_by: string;
  made_at_ms: number;
}

const COLUMNS = `row_id, source_name.text AS source, events.id AS id, type_name.text AS type, subject_name.text AS subject,
    time_ms, data, ingested_at_ms, stored_at_ms, corrections.id AS correction_id, reason, made_by, made_at_ms`;
const TEXTS = `JOIN names AS source_name ON source_name.name_id = source
  JOIN names AS type_name ON type_name.name_id = type
  JOIN names AS subject_name ON subject_name.name_id = subject
  LEFT JOIN corrections ON correction = voided_by`;

/** One page of events by keyset: its cost does not grow with the page's position. */
export function listEvents(db: Sqlite, query: EventRowsQuery): StoredEvent[] {
  const { table, where, params } = eventSource(db, query);
  // The page first, its texts afterwards: names would otherwise be looked up for all rows that are sorted.
  const page = `SELECT * FROM ${table} ${where} ORDER BY ${orderOf(query)} LIMIT ?`;
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM (${page}) AS events ${TEXTS} ORDER BY ${orderOf(query)}`)
    .all(...params, query.size) as EventRow[];
  return rows.map(toStoredEvent);
}

/** The positions of the next events instead of the events. */
export function selectPositions(db: Sqlite, query: EventRowsQuery): EventPosition[] {
  const { table, where, params } = eventSource(db, query);
  return db
    .prepare(`SELECT row_id AS rowId, time_ms AS atMs FROM ${table} ${where} ORDER BY ${orderOf(query)} LIMIT ?`)
    .all(...params, query.size) as EventPosition[];
}

/** How many events there are, whatever the query's size. */
export function countEvents(db: Sqlite, query: EventRowsQuery, isCancelled: () => boolean): number {
  const { table, where, params } = eventSource(db, query);
  let count = 0;
  const rows = db.prepare(`SELECT 1 FROM ${table} ${where}`).iterate(...params);
  for (const _ of untilCancelled(rows, isCancelled)) count++;
  return count;
}

/** Events by their rows, in the order of storing; those that are not there any more are absent. */
export function readEvents(db: Sqlite, rowIds: readonly number[]): StoredEvent[] {
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM events ${TEXTS} WHERE row_id IN (SELECT value FROM json_each(?)) ORDER BY row_id`)
    .all(JSON.stringify(rowIds)) as EventRow[];
  return rows.map(toStoredEvent);
}

function orderOf({ sort }: EventRowsQuery): string {
  const direction = sort.direction === 'asc' ? 'ASC' : 'DESC';
  // Rows rise with both instants of the store, so only the events' own time is another order.
  return sort.field === 'time' ? `time_ms ${direction}, row_id ${direction}` : `row_id ${direction}`;
}

function toStoredEvent(row: EventRow): StoredEvent {
  return {
    rowId: row.row_id,
    source: row.source,
    id: row.id,
    type: row.type,
    subject: row.subject,
    timeMs: row.time_ms,
    data: row.data ?? undefined,
    ingestedAtMs: row.ingested_at_ms,
    storedAtMs: row.stored_at_ms,
    ...(row.correction_id !== null && {
      voided: {
        correctionId: row.correction_id,
        reason: row.reason,
        madeBy: row.made_by,
        madeAtMs: row.made_at_ms,
      },
    }),
  };
}
