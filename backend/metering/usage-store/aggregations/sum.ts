import type { AggregationRules } from './aggregation.ts';
import { figureOf, mergeFolding } from './cell.ts';
import { addFigures } from './figure.ts';
import { foldNumbers } from './folding.ts';
import { readsNumber } from './value-reading.ts';

export const sum: AggregationRules = {
  reading: readsNumber,
  keeping: 'sum',
  ofNothing: undefined,
  isSummed: true,
  foldFigures: addFigures,
  usageKind: 'additive',
  canSplit: true,
  accumulate: (property) => foldNumbers(property, (a, b) => a.plus(b)),
  merge: mergeFolding(addFigures),
  result: figureOf,
};
