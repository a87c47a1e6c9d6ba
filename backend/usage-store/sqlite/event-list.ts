import { filterSql, type SqlFragment } from '../../platform/db/filter-sql.ts';
import type { Sqlite } from '../../platform/db/sqlite.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { EventFilterField, EventListQuery, StoredEvent } from '../types.ts';

/** A list query as a reader gets it: exact ids have been looked up by the writer, who knows them without a search. */
export type EventRowsQuery = EventListQuery & { rowIds?: readonly number[] | undefined };

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

const EVENTS = `SELECT row_id, source_name.text AS source, id, type_name.text AS type, subject_name.text AS subject,
    time_ms, data, ingested_at_ms, stored_at_ms
  FROM events
  JOIN names AS source_name ON source_name.name_id = source
  JOIN names AS type_name ON type_name.name_id = type
  JOIN names AS subject_name ON subject_name.name_id = subject`;

/** One page of events by keyset: its cost does not grow with the page's position. */
export function listEvents(db: Sqlite, query: EventRowsQuery): StoredEvent[] {
  const conditions = [...query.filters.map((filter) => condition(db, filter)), ...selections(query), ...keyset(query)];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')}`;
  const direction = query.sort.direction === 'asc' ? 'ASC' : 'DESC';
  // Rows rise with both instants of the store, so only the events' own time is another order.
  const order = query.sort.field === 'time' ? `time_ms ${direction}, row_id ${direction}` : `row_id ${direction}`;
  const rows = db
    .prepare(`${EVENTS} ${where} ORDER BY ${order} LIMIT ?`)
    .all(...conditions.flatMap(({ params }) => params), query.size) as EventRow[];
  return rows.map(toStoredEvent);
}

function condition(db: Sqlite, filter: FilterCondition<EventFilterField>): SqlFragment {
  switch (filter.field) {
    case 'id':
      return filterSql('id', filter);
    case 'time':
      return filterSql('time_ms', filter, parseInstant);
    case 'ingested_at':
    case 'stored_at':
      return rowRange(db, `${filter.field}_ms`, filter);
    default: {
      // Over the few names instead of the many events.
      const { text, params } = filterSql('text', filter);
      return { text: `${filter.field} IN (SELECT name_id FROM names WHERE ${text})`, params };
    }
  }
}

/** A range of an instant that rises with the rows, as a range of rows. */
function rowRange(
  db: Sqlite,
  column: 'ingested_at_ms' | 'stored_at_ms',
  { operator, values }: FilterCondition,
): SqlFragment {
  const atMs = parseInstant(values[0] ?? '') ?? Number.NaN;
  const from = () => firstRowAt(db, column, atMs);
  const after = () => firstRowAt(db, column, atMs + 1);
  switch (operator) {
    case 'gte':
      return { text: 'row_id >= ?', params: [from()] };
    case 'gt':
      return { text: 'row_id >= ?', params: [after()] };
    case 'lt':
      return { text: 'row_id < ?', params: [from()] };
    case 'lte':
      return { text: 'row_id < ?', params: [after()] };
    default:
      return { text: 'row_id >= ? AND row_id < ?', params: [from(), after()] };
  }
}

/** The first row whose instant is not before the given one, by halving; past the end when there is none. */
function firstRowAt(db: Sqlite, column: string, atMs: number): number {
  const bounds = db.prepare('SELECT min(row_id) AS low, max(row_id) + 1 AS high FROM events').get() as {
    low: number | null;
    high: number | null;
  };
  // Rows may have gaps where old events were removed: look at the next one that is there.
  const probe = db.prepare(`SELECT row_id, ${column} AS at_ms FROM events WHERE row_id >= ? ORDER BY row_id LIMIT 1`);
  let low = bounds.low ?? 1;
  let high = bounds.high ?? 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = probe.get(middle) as { row_id: number; at_ms: number };
    if (row.at_ms < atMs) low = row.row_id + 1;
    else high = middle;
  }
  return low;
}

function selections({ subjects, rowIds }: EventRowsQuery): SqlFragment[] {
  // Lists travel as one JSON parameter: they may be longer than SQL has parameters.
  const isOneOf = (column: string, list: readonly unknown[] | undefined) =>
    list === undefined
      ? []
      : [{ text: `${column} IN (SELECT value FROM json_each(?))`, params: [JSON.stringify(list)] }];
  return [...isOneOf('subject_name.text', subjects), ...isOneOf('row_id', rowIds)];
}

function keyset({ after, sort }: EventRowsQuery): SqlFragment[] {
  if (after === undefined) return [];
  const sign = sort.direction === 'asc' ? '>' : '<';
  if (sort.field !== 'time') return [{ text: `row_id ${sign} ?`, params: [after.rowId] }];
  return [{ text: `(time_ms, row_id) ${sign} (?, ?)`, params: [after.atMs, after.rowId] }];
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
