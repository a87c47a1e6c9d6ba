import type { OrderByItemBuilder } from 'kysely';

/**
 * For `orderBy` of a column that may be NULL: before all values, as SQLite has it anyway; PostgreSQL has it behind them. Not
 * for other columns, whose indexes PostgreSQL would not use.
 */
export function nullsSmallest(direction: 'asc' | 'desc') {
  return (order: OrderByItemBuilder): OrderByItemBuilder =>
    direction === 'asc' ? order.asc().nullsFirst() : order.desc().nullsLast();
}
