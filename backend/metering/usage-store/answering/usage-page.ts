import { Decimal } from '../../../platform/decimal.ts';
import { type Figure, toFigure } from '../aggregations/figure.ts';
import type { UsagePage, UsagePageQuery } from '../breakdown-types.ts';
import type { UsageRow } from '../types.ts';
import { refuseLongPage } from './query-limits.ts';
import { groupKey, type QueryAnswer } from './usage-rows.ts';

/** A page of a query's rows: all are gathered where they are read, and only the page leaves it. */
export function pageOf(
  { rows, origin }: QueryAnswer,
  { sort, offset, limit }: Pick<UsagePageQuery, 'sort' | 'offset' | 'limit'>,
): UsagePage & Pick<QueryAnswer, 'origin'> {
  const sorted = sort.field === 'value' ? sortedByValue(rows, sort.direction) : sortedByWindow(rows, sort.direction);
  const page = sorted.slice(offset, offset + limit);
  refuseLongPage(page.map((row) => groupKey(row).length));
  return { rows: page, total: rows.length, origin };
}

/** Rows with equal values keep the order of the answer, by window and name: so pages fit together. */
export function sortedByValue(rows: readonly UsageRow[], direction: 'asc' | 'desc'): UsageRow[] {
  const sign = direction === 'asc' ? 1 : -1;
  return rows
    .map((row) => ({ row, figure: toFigure(new Decimal(row.value)) }))
    .sort((a, b) => sign * compareFigures(a.figure, b.figure))
    .map(({ row }) => row);
}

/** An answer comes ascending; turned round, the groups of a window stay by name. */
function sortedByWindow(rows: readonly UsageRow[], direction: 'asc' | 'desc'): readonly UsageRow[] {
  return direction === 'asc' ? rows : rows.toSorted((a, b) => b.fromMs - a.fromMs);
}

function compareFigures(a: Figure, b: Figure): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : new Decimal(a).comparedTo(b);
}
