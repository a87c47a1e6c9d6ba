import { type RawBuilder, sql } from 'kysely';
import type { FilterCondition } from '../http/filtering.ts';
import { filterSql, type SqlFragment } from './filter-sql.ts';

/** A filter condition for a kysely `where`. */
export function filterExpression(
  column: string,
  condition: FilterCondition,
  toColumn?: (value: string) => unknown,
): RawBuilder<boolean> {
  return fragmentExpression(filterSql(column, condition, toColumn));
}

/** SQL of ours, with its parameters in their places. */
export function fragmentExpression({ text, params }: SqlFragment): RawBuilder<boolean> {
  const parts = text.split('?');
  return sql<boolean>`${sql.join(
    parts.flatMap((part, index) => (index === 0 ? [sql.raw(part)] : [sql`${params[index - 1]}`, sql.raw(part)])),
    sql.raw(''),
  )}`;
}
