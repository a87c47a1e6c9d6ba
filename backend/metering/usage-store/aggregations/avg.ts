import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { AggregationRules } from './aggregation.ts';
import { mergeFolding } from './cell.ts';
import { addFigures } from './figure.ts';
import { foldNumbers } from './folding.ts';
import { readsNumber } from './value-reading.ts';

/** Averages are cut to as many fractional digits as the contract's decimal mode keeps. */
const FRACTION_DIGITS = 19;

const average = (total: Decimal, values: number): Decimal => total.dividedBy(values).toDecimalPlaces(FRACTION_DIGITS);

/** Kept as a sum and a number of values; an average of averages is none, and it cannot be billed. */
export const avg: AggregationRules = {
  reading: readsNumber,
  keeping: 'sum',
  ofNothing: undefined,
  isSummed: true,
  foldFigures: undefined,
  usageKind: undefined,
  canSplit: false,
  accumulate: (property) => foldNumbers(property, (a, b) => a.plus(b), average),
  merge: mergeFolding(addFigures),
  result: ({ figure, m }) => (figure === null ? undefined : formatDecimal(average(new Decimal(figure), m))),
};
