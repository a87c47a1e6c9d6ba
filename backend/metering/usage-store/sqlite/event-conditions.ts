import { filterSql, type SqlFragment } from '../../../platform/db/filter-sql.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { FilterCondition } from '../../../platform/http/filtering.ts';
import { parseInstant } from '../../../platform/instant.ts';
import type { EventFilterField, EventListQuery, EventPosition } from '../types.ts';
import { rowsOfSubjects } from './seen/subject-rows.ts';

/** A list query as a reader gets it: exact ids have been looked up by the writer, who knows them without a search. */
export type EventRowsQuery = Omit<EventListQuery, 'after'> & {
  /** The event that the list goes on after. */
  after?: EventPosition | undefined;
  rowIds?: readonly number[] | undefined;
  /** Only events stored no later than this row. */
  maxRow?: number | undefined;
  /** Only events from this time on. */
  minTimeMs?: number | undefined;
  /** Only events that count, or only void ones. */
  state?: 'counting' | 'void' | undefined;
  /** Only events that are void because of this correction. */
  voidedBy?: string | undefined;
  /** The last event in the list's order that is looked at. */
  until?: EventPosition | undefined;
};

/** More rows than this are faster found in the order of the list. */
const MAX_GATHERED_ROWS = 20_000;

/** What follows FROM: the table as it is best walked through, and the conditions. */
export interface EventSource {
  /** "events" with a hint where one is needed. */
  table: string;
  where: string;
  params: unknown[];
}

/** @param rowIds the rows to look at; absent: those of the table, in the order of the list */
export function sourceOf(db: Sqlite, query: EventRowsQuery, rowIds?: readonly number[]): EventSource {
  const conditions = [
    ...query.filters.map((filter) => condition(db, filter)),
    ...selections(query, rowIds),
    ...keyset(query),
  ];
  return {
    // The index over time would be walked in its order, looking for each row in the list.
    table: rowIds === undefined ? 'events' : 'events NOT INDEXED',
    where: conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')}`,
    params: conditions.flatMap(({ params }) => params),
  };
}

/** The rows that are asked for: by themselves, or those of subjects that have few; undefined: any of the table. */
export function knownRows(db: Sqlite, { filters, subjects, rowIds }: EventRowsQuery): readonly number[] | undefined {
  if (rowIds !== undefined) return rowIds;
  const exact = filters.find(({ field, operator }) => field === 'subject' && (operator === 'eq' || operator === 'oeq'));
  const wanted = subjects ?? exact?.values;
  if (wanted === undefined) return undefined;
  const instants = filters.filter(({ field }) => field === 'time');
  const bound = (operators: readonly string[]) =>
    instants
      .filter(({ operator }) => operators.includes(operator))
      .flatMap(({ values }) => parseInstant(values[0] ?? '') ?? []);
  const fromMs = Math.max(Number.NEGATIVE_INFINITY, ...bound(['gt', 'gte', 'eq']));
  const toMs = Math.min(Number.POSITIVE_INFINITY, ...bound(['lt', 'lte', 'eq']));
  return rowsOfSubjects(db, { subjects: wanted, fromMs, toMs, afterRow: 0, max: MAX_GATHERED_ROWS });
}

/** Whether no name that the store knows passes a filter of names: then no event does. */
export function isWithoutNames(db: Sqlite, filters: EventRowsQuery['filters']): boolean {
  return filters.some((filter) => {
    if (!['source', 'type', 'subject'].includes(filter.field)) return false;
    const { text, params } = filterSql('text', filter);
    return db.prepare(`SELECT 1 FROM names WHERE ${text} LIMIT 1`).get(...params) === undefined;
  });
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

/** The first row whose instant is not before the given one; past the end when there is none. */
export function firstRowAt(db: Sqlite, column: 'ingested_at_ms' | 'stored_at_ms', atMs: number): number {
  return firstAt(db, { table: 'events', key: 'row_id', column }, atMs);
}

/** By halving, in a table whose instants rise with its keys. */
export function firstAt(
  db: Sqlite,
  { table, key, column }: { table: string; key: string; column: string },
  atMs: number,
): number {
  const bounds = db.prepare(`SELECT min(${key}) AS low, max(${key}) + 1 AS high FROM ${table}`).get() as {
    low: number | null;
    high: number | null;
  };
  // Keys may have gaps where old rows were removed: look at the next one that is there.
  const probe = db.prepare(
    `SELECT ${key} AS key, ${column} AS at_ms FROM ${table} WHERE ${key} >= ? ORDER BY ${key} LIMIT 1`,
  );
  let low = bounds.low ?? 1;
  let high = bounds.high ?? 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = probe.get(middle) as { key: number; at_ms: number };
    if (row.at_ms < atMs) low = row.key + 1;
    else high = middle;
  }
  return low;
}

function selections(
  { subjects, maxRow, minTimeMs, state, voidedBy }: EventRowsQuery,
  rowIds: readonly number[] | undefined,
): SqlFragment[] {
  const conditions: SqlFragment[] = [];
  // Lists travel as one JSON parameter: they may be longer than SQL has parameters.
  if (subjects !== undefined) {
    const text = 'subject IN (SELECT name_id FROM names JOIN json_each(?) ON text = value)';
    conditions.push({ text, params: [JSON.stringify(subjects)] });
  }
  if (rowIds !== undefined) {
    conditions.push({ text: 'row_id IN (SELECT value FROM json_each(?))', params: [JSON.stringify(rowIds)] });
  }
  if (maxRow !== undefined) conditions.push({ text: 'row_id <= ?', params: [maxRow] });
  if (minTimeMs !== undefined) conditions.push({ text: 'time_ms >= ?', params: [minTimeMs] });
  if (state !== undefined) {
    conditions.push({ text: `voided_by IS ${state === 'void' ? 'NOT ' : ''}NULL`, params: [] });
  }
  if (voidedBy !== undefined) {
    const text = `row_id IN (SELECT row_id FROM event_changes JOIN corrections USING (correction) WHERE corrections.id = ?)
      AND voided_by = (SELECT correction FROM corrections WHERE id = ?)`;
    conditions.push({ text, params: [voidedBy, voidedBy] });
  }
  return conditions;
}

function keyset({ after, until, sort }: EventRowsQuery): SqlFragment[] {
  const isRising = sort.direction === 'asc';
  const bound = (sign: string, { rowId, atMs }: EventPosition): SqlFragment =>
    sort.field === 'time'
      ? { text: `(time_ms, row_id) ${sign} (?, ?)`, params: [atMs, rowId] }
      : { text: `row_id ${sign} ?`, params: [rowId] };
  return [
    ...(after === undefined ? [] : [bound(isRising ? '>' : '<', after)]),
    ...(until === undefined ? [] : [bound(isRising ? '<=' : '>=', until)]),
  ];
}
