import { Decimal } from '../../../platform/decimal.ts';
import type { AggregationRules } from './aggregation.ts';
import { figureOf, mergeFolding } from './cell.ts';
import { greaterFigure } from './figure.ts';
import { foldNumbers } from './folding.ts';
import { readsNumber } from './value-reading.ts';

/** An extreme cannot be billed, though the highest value so far only grows. */
export const max: AggregationRules = {
  reading: readsNumber,
  keeping: 'max',
  ofNothing: undefined,
  isSummed: false,
  foldFigures: greaterFigure,
  usageKind: undefined,
  canSplit: true,
  accumulate: (property) => foldNumbers(property, (a, b) => Decimal.max(a, b)),
  merge: mergeFolding(greaterFigure),
  result: figureOf,
};
