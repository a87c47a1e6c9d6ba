import { type RawBuilder, sql } from 'kysely';

/**
 * Values in one statement: databases refuse those with some ten thousand parameters (SQLite 32,766, PostgreSQL 65,535), and
 * what is read by data has no other bound.
 */
const MAX_LIST_LENGTH = 1000;

/**
 * Reads by any number of values, each once, a list of them at a time.
 * @param read a statement with an IN list
 */
export async function inLists<Value, Row>(
  values: Iterable<Value>,
  read: (list: readonly Value[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const list of listsOf([...new Set(values)], MAX_LIST_LENGTH)) {
    for (const row of await read(list)) rows.push(row);
  }
  return rows;
}

/** Writes by any number of values, each once, a list of them at a time. @param write a statement with an IN list */
export async function eachList<Value>(
  values: Iterable<Value>,
  write: (list: readonly Value[]) => Promise<unknown>,
): Promise<void> {
  for (const list of listsOf([...new Set(values)], MAX_LIST_LENGTH)) await write(list);
}

/** Parameters of one statement that inserts: half of what the smallest database takes. */
const MAX_PARAMETERS = 16_000;

/** Inserts any number of rows, all with the same columns, as many in a statement as its parameters allow. */
export async function inPieces<Row extends object>(
  rows: readonly Row[],
  insert: (piece: readonly Row[]) => Promise<unknown>,
): Promise<void> {
  const columns = Math.max(1, Object.keys(rows[0] ?? {}).length);
  for (const piece of listsOf(rows, Math.max(1, Math.floor(MAX_PARAMETERS / columns)))) await insert(piece);
}

/** For an insert that takes the place of rows that are there: the columns with what was to be inserted. */
export function replacing<Column extends string>(columns: readonly Column[]): Record<Column, RawBuilder<never>> {
  const values = columns.map((column) => [column, sql`${sql.ref(`excluded.${column}`)}`]);
  return Object.fromEntries(values) as Record<Column, RawBuilder<never>>;
}

/** As many items at a time as are worked on together. */
export function* listsOf<Item>(items: readonly Item[], length: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += length) yield items.slice(start, start + length);
}
