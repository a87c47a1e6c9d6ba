import { countingQuery, valuesOf } from '../answering/dimension-values.ts';
import type { QueryLimits } from '../answering/query-limits.ts';
import type { DimensionValues, DimensionValuesQuery } from '../seen-types.ts';
import type { PgClient } from './database.ts';
import { answerQuery, type ReadDeps } from './read.ts';

/** The values of a dimension with how many events have them. */
export async function readDimensionValues(
  client: PgClient,
  deps: ReadDeps,
  query: DimensionValuesQuery,
  limits: QueryLimits,
): Promise<DimensionValues> {
  return valuesOf(await answerQuery(client, deps, countingQuery(query), limits, true), query);
}
