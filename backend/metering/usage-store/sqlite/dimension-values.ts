import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { countingQuery, valuesOf } from '../answering/dimension-values.ts';
import type { QueryLimits } from '../answering/query-limits.ts';
import type { DimensionValues, DimensionValuesQuery } from '../seen-types.ts';
import type { RollupReader } from './rollup/read.ts';
import { queryUsage } from './usage-query.ts';

/** The values of a dimension with how many events have them, from roll-ups where these can tell. */
export function dimensionValues(
  db: Sqlite,
  rollups: RollupReader,
  asked: DimensionValuesQuery,
  limits: QueryLimits,
): DimensionValues {
  const query = countingQuery(asked);
  const counting = { ...query, meter: { ...query.meter, aggregation: 'count' as const } };
  return valuesOf(rollups.countEvents(query, limits) ?? queryUsage(db, counting, limits), asked);
}
