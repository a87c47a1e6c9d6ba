import { Decimal } from '../../../platform/decimal.ts';
import type { AggregationRules } from './aggregation.ts';
import { figureOf, mergeFolding } from './cell.ts';
import { lesserFigure } from './figure.ts';
import { foldNumbers } from './folding.ts';
import { readsNumber } from './value-reading.ts';

/** An extreme cannot be billed, and a later value may revise the lowest one. */
export const min: AggregationRules = {
  reading: readsNumber,
  keeping: 'min',
  ofNothing: undefined,
  isSummed: false,
  foldFigures: lesserFigure,
  usageKind: undefined,
  canSplit: false,
  accumulate: (property) => foldNumbers(property, (a, b) => Decimal.min(a, b)),
  merge: mergeFolding(lesserFigure),
  result: figureOf,
};
