import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { QueryLimits } from '../answering/query-limits.ts';
import type { DimensionValues, DimensionValuesQuery } from '../seen-types.ts';
import type { UsageQuery } from '../types.ts';
import type { RollupReader } from './rollup/read.ts';
import { queryUsage } from './usage-query.ts';

/** The values of a dimension with how many events have them, from roll-ups where these can tell. */
export function dimensionValues(
  db: Sqlite,
  rollups: RollupReader,
  { meter, dimension, fromMs, toMs, subjects, prefix = '', limit }: DimensionValuesQuery,
  limits: QueryLimits,
): DimensionValues {
  const query: UsageQuery = {
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
  const counting = { ...query, meter: { ...meter, aggregation: 'count' as const } };
  const { rows } = rollups.countEvents(query, limits) ?? queryUsage(db, counting, limits);
  const values = rows
    .map((row) => ({ value: row.dimensions[dimension] ?? '', count: Number.parseInt(row.value, 10) }))
    .filter(({ value }) => value.startsWith(prefix))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  return { values: values.slice(0, limit), total: values.length };
}
