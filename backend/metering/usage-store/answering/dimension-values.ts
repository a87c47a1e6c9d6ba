import type { DimensionValues, DimensionValuesQuery } from '../seen-types.ts';
import type { UsageQuery } from '../types.ts';
import type { QueryAnswer } from './usage-rows.ts';

/** The query whose numbers of events tell the values of a dimension. */
export function countingQuery({ meter, dimension, fromMs, toMs, subjects }: DimensionValuesQuery): UsageQuery {
  return {
    meter,
    fromMs,
    toMs,
    granularity: undefined,
    timeZone: 'UTC',
    groupBy: [dimension],
    groupBySubject: false,
    filters: {},
    subjects,
  };
}

/** @param answer the numbers of events of `countingQuery` */
export function valuesOf(
  { rows }: QueryAnswer,
  { dimension, prefix = '', limit }: DimensionValuesQuery,
): DimensionValues {
  const values = rows
    .map((row) => ({ value: row.dimensions[dimension] ?? '', count: Number.parseInt(row.value, 10) }))
    .filter(({ value }) => value.startsWith(prefix))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  return { values: values.slice(0, limit), total: values.length };
}
