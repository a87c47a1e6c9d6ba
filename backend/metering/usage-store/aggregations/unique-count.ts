import { readDistinctValue } from '../meter-value.ts';
import type { AggregationRules } from './aggregation.ts';
import { mergeCounts } from './cell.ts';
import { readsText } from './value-reading.ts';

/** How many values were seen; the values are part of the roll-ups' keys. */
export const uniqueCount: AggregationRules = {
  reading: readsText,
  keeping: 'counts',
  ofNothing: '0',
  isSummed: false,
  foldFigures: undefined,
  usageKind: 'distinct',
  canSplit: true,
  accumulate: () => {
    const seen = new Set<string>();
    return {
      add: (value) => {
        const text = readDistinctValue(value);
        if (text !== undefined) seen.add(text);
      },
      result: () => String(seen.size),
    };
  },
  merge: mergeCounts,
  result: (_, distinct) => String(distinct),
};
