import type { AggregationRules } from './aggregation.ts';
import { mergeCounts } from './cell.ts';
import { addFigures } from './figure.ts';
import { readsNothing } from './value-reading.ts';

/** Counts every event; its data does not matter. */
export const count: AggregationRules = {
  reading: readsNothing,
  keeping: 'counts',
  ofNothing: '0',
  isSummed: true,
  foldFigures: addFigures,
  usageKind: 'additive',
  canSplit: true,
  accumulate: () => {
    let events = 0;
    return {
      add: () => {
        events++;
      },
      result: () => String(events),
    };
  },
  merge: mergeCounts,
  result: (cell) => String(cell.n),
};
