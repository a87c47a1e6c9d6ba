import { filterSql, type SqlFragment } from '../../platform/db/filter-sql.ts';
import type { Sqlite } from '../../platform/db/sqlite.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { EventFilterField, EventListQuery, EventSortField, StoredEvent } from '../types.ts';

const SORT_COLUMNS: Record<EventSortField, string> = {
  time: 'time_ms',
  ingested_at: 'ingested_at_ms',
  stored_at: 'stored_at_ms',
};
const FILTER_COLUMNS: Record<EventFilterField, string> = {
  ...SORT_COLUMNS,
  id: 'id',
  source: 'source',
  subject: 'subject',
  type: 'type',
};

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
}

/** One page of events by keyset: its cost does not grow with the page's position. */
export function listEvents(db: Sqlite, query: EventListQuery): StoredEvent[] {
  const column = SORT_COLUMNS[query.sort.field];
  const direction = query.sort.direction === 'asc' ? 'ASC' : 'DESC';
  const conditions = [...filterConditions(query), ...keysetCondition(query, column)];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map((condition) => condition.text).join(' AND ')}`;
  const rows = db
    .prepare(`SELECT * FROM events ${where} ORDER BY ${column} ${direction}, row_id ${direction} LIMIT ?`)
    .all(...conditions.flatMap((condition) => condition.params), query.size) as EventRow[];
  return rows.map(toStoredEvent);
}

function filterConditions(query: EventListQuery): SqlFragment[] {
  const conditions = query.filters.map((filter) => {
    const isInstant = filter.field in SORT_COLUMNS;
    return filterSql(FILTER_COLUMNS[filter.field], filter, isInstant ? parseInstant : undefined);
  });
  // The list of subjects travels as one JSON parameter: a customer may have more of them than SQL has parameters.
  if (query.subjects !== undefined) {
    conditions.push({ text: 'subject IN (SELECT value FROM json_each(?))', params: [JSON.stringify(query.subjects)] });
  }
  return conditions;
}

function keysetCondition(query: EventListQuery, column: string): SqlFragment[] {
  if (query.after === undefined) return [];
  const sign = query.sort.direction === 'asc' ? '>' : '<';
  return [{ text: `(${column}, row_id) ${sign} (?, ?)`, params: [query.after.atMs, query.after.rowId] }];
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
  };
}
