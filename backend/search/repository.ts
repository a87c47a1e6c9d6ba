import { type RawBuilder, sql } from 'kysely';
import { filterExpression, fragmentExpression } from '../platform/db/filter-expression.ts';
import type { DbHandle } from '../platform/db/handle.ts';
import type { SearchedTable } from '../platform/db/searched-table.ts';

/** A row that was found. */
export interface FoundRow {
  id: string;
  name: string;
  key: string | null;
  version: number | null;
  customer_id: string | null;
}

/** Rows that the text may mean: those of which it is the whole id, key or name first, then by name. */
export async function findRows(
  db: DbHandle,
  { table, living, shows, contain, also }: SearchedTable,
  text: string,
  limit: number,
): Promise<FoundRow[]> {
  const column = (name: string | undefined) => (name === undefined ? sql`NULL` : sql.ref(name));
  const contained = contain.map((name) =>
    filterExpression(name, { field: name, operator: 'contains', values: [text] }),
  );
  const more = also === undefined ? [] : [fragmentExpression(also(text))];
  const isWhole = or([sql`id = ${text}`, ...contain.map((name) => sql`lower(${sql.ref(name)}) = lower(${text})`)]);
  const newestFirst = shows.version === undefined ? sql`` : sql`${sql.ref(shows.version)} DESC,`;
  const query = sql<FoundRow>`
    SELECT id, ${column(shows.name)} AS name, ${column(shows.key)} AS key, ${column(shows.version)} AS version,
      ${column(shows.customerId)} AS customer_id
    FROM ${sql.table(table)}
    WHERE ${sql.raw(living)} AND ${or([sql`id = ${text}`, ...contained, ...more])}
    ORDER BY CASE WHEN ${isWhole} THEN 0 ELSE 1 END, ${sql.ref(shows.name)}, ${newestFirst} id
    LIMIT ${limit}`;
  return (await query.execute(db.kysely)).rows;
}

function or(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`(${sql.join(conditions, sql` OR `)})`;
}
