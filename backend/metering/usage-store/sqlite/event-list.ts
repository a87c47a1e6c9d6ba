import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { MAX_PAGE_BYTES } from '../page-bytes.ts';
import { type EventRow, toStoredEvent } from '../stored-rows.ts';
import type { EventPosition, StoredEvent } from '../types.ts';
import { type EventRowsQuery, type EventSource, isWithoutNames, knownRows, sourceOf } from './event-conditions.ts';

/** Events that are walked through between two looks at whether anybody still waits: the longest take some 50 ms. */
const FIRST_STRETCH = 1000;
const LONGEST_STRETCH = 100_000;
/** What bounds the walk itself; other filters are tried on each event. */
const INSTANTS: readonly string[] = ['time', 'ingested_at', 'stored_at'];

const COLUMNS = `row_id, source_name.text AS source, events.id AS id, type_name.text AS type, subject_name.text AS subject,
    time_ms, data, ingested_at_ms, stored_at_ms, corrections.id AS correction_id, reason, made_by, made_at_ms`;
const TEXTS = `JOIN names AS source_name ON source_name.name_id = source
  JOIN names AS type_name ON type_name.name_id = type
  JOIN names AS subject_name ON subject_name.name_id = subject
  LEFT JOIN corrections ON correction = voided_by`;

/**
 * One page of events by keyset: its cost does not grow with the page's position. It ends with the event that makes its
 * data reach the bound of a page, even if that is the first one.
 * @param isCancelled asked between stretches: a filter that few events pass may walk through all of them
 */
export function listEvents(db: Sqlite, query: EventRowsQuery, isCancelled: () => boolean): StoredEvent[] {
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (const { table, where, params } of stretches(db, query, isCancelled)) {
    // The rows first, without reading their data: how many fit is known before any is in memory.
    const rows = db
      .prepare(`SELECT row_id, octet_length(data) FROM ${table} ${where} ORDER BY ${orderOf(query)} LIMIT ?`)
      .raw()
      .all(...params, query.size - events.length) as [rowId: number, bytes: number | null][];
    const fitting = rows.findIndex(([, dataBytes]) => {
      bytes += dataBytes ?? 0;
      return bytes >= MAX_PAGE_BYTES;
    });
    const page = (fitting === -1 ? rows : rows.slice(0, fitting + 1)).map(([rowId]) => rowId);
    const read = new Map(readEvents(db, page).map((event) => [event.rowId, event]));
    events.push(...page.flatMap((rowId) => read.get(rowId) ?? []));
    if (events.length >= query.size || fitting !== -1) break;
  }
  return events;
}

/** The positions of the next events instead of the events. */
export function selectPositions(db: Sqlite, query: EventRowsQuery): EventPosition[] {
  const { table, where, params } = sourceOf(db, query, knownRows(db, query));
  return db
    .prepare(`SELECT row_id AS rowId, time_ms AS atMs FROM ${table} ${where} ORDER BY ${orderOf(query)} LIMIT ?`)
    .all(...params, query.size) as EventPosition[];
}

/** How many events there are, whatever the query's size. */
export function countEvents(db: Sqlite, query: EventRowsQuery, isCancelled: () => boolean): number {
  let count = 0;
  for (const { table, where, params } of stretches(db, query, isCancelled)) {
    count += db
      .prepare(`SELECT count(*) FROM ${table} ${where}`)
      .pluck()
      .get(...params) as number;
  }
  return count;
}

/**
 * A query cut in the list's order, so that somebody can look up between two pieces: SQLite itself is not interrupted.
 * The first stretch is short, for the many lists that are full soon; a query of few known rows stays whole.
 */
function* stretches(
  db: Sqlite,
  query: EventRowsQuery,
  isCancelled: () => boolean,
): Generator<EventSource, void, undefined> {
  if (isWithoutNames(db, query.filters)) return;
  const rowIds = knownRows(db, query);
  if (rowIds !== undefined) return yield sourceOf(db, query, rowIds);
  let { after } = query;
  for (let length = FIRST_STRETCH; ; length = Math.min(length * 4, LONGEST_STRETCH)) {
    const until = endOfStretch(db, { ...query, after }, length);
    yield sourceOf(db, { ...query, after, until });
    if (until === undefined) return;
    if (isCancelled()) throw new Error('the query was cancelled');
    after = until;
  }
}

/** The last of so many events of the time that is asked for, whatever else they are; undefined when there are fewer. */
function endOfStretch(db: Sqlite, query: EventRowsQuery, length: number): EventPosition | undefined {
  const { sort, size, after, maxRow, minTimeMs } = query;
  const filters = query.filters.filter(({ field }) => INSTANTS.includes(field));
  const { where, params } = sourceOf(db, { filters, sort, size, after, maxRow, minTimeMs });
  return db
    .prepare(`SELECT row_id AS rowId, time_ms AS atMs FROM events ${where} ORDER BY ${orderOf(query)} LIMIT 1 OFFSET ?`)
    .get(...params, length - 1) as EventPosition | undefined;
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
