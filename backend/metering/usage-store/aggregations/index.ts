/**
 * The aggregations, one object each. A new one is a file here and an entry of AGGREGATIONS: whoever adds it to the union
 * in types.ts only is stopped by the compiler. Nobody else asks for the name of an aggregation.
 */
import type { Aggregation } from '../types.ts';
import type { AggregationRules } from './aggregation.ts';
import { avg } from './avg.ts';
import { count } from './count.ts';
import { latest } from './latest.ts';
import { max } from './max.ts';
import { min } from './min.ts';
import { sum } from './sum.ts';
import { uniqueCount } from './unique-count.ts';

/** In the order in which the API names them. */
export const AGGREGATIONS: Readonly<Record<Aggregation, AggregationRules>> = {
  sum,
  count,
  unique_count: uniqueCount,
  avg,
  min,
  max,
  latest,
};

export const AGGREGATION_NAMES = Object.keys(AGGREGATIONS) as [Aggregation, ...Aggregation[]];

export type { Accumulator, AggregationRules, Keeping, UsageKind } from './aggregation.ts';
