import { type Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { AggregationRules } from './aggregation.ts';
import { figureOf, mergeCounts } from './cell.ts';
import { numberOf, readsNumber } from './value-reading.ts';

/** The value with the greatest event time; of equal times the one stored last. Unusable values are passed over. */
export const latest: AggregationRules = {
  reading: readsNumber,
  keeping: 'latest',
  ofNothing: undefined,
  isSummed: false,
  foldFigures: undefined,
  usageKind: 'latest',
  canSplit: false,
  accumulate: (property) => {
    let last: { number: Decimal; timeMs: number } | undefined;
    return {
      add: (value, timeMs) => {
        const number = numberOf(value, property);
        if (number !== undefined && (last === undefined || timeMs >= last.timeMs)) last = { number, timeMs };
      },
      result: () => (last === undefined ? undefined : formatDecimal(last.number)),
    };
  },
  merge: (into, from) => {
    mergeCounts(into, from);
    if (from.figure === null) return;
    const isLater = from.atMs > into.atMs || (from.atMs === into.atMs && from.rowId > into.rowId);
    if (into.figure !== null && !isLater) return;
    into.figure = from.figure;
    into.atMs = from.atMs;
    into.rowId = from.rowId;
  },
  result: figureOf,
};
