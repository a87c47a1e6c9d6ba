import { type Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { Accumulator } from './aggregation.ts';
import { numberOf } from './value-reading.ts';

/**
 * Folds the numbers of events into one.
 * @param finish what the answer is, of the folded number and how many there were; default the number itself
 */
export function foldNumbers(
  property: string,
  fold: (a: Decimal, b: Decimal) => Decimal,
  finish: (folded: Decimal, count: number) => Decimal = (folded) => folded,
): Accumulator {
  let folded: Decimal | undefined;
  let count = 0;
  return {
    add: (value) => {
      const number = numberOf(value, property);
      if (number === undefined) return;
      count++;
      folded = folded === undefined ? number : fold(folded, number);
    },
    result: () => (folded === undefined ? undefined : formatDecimal(finish(folded, count))),
  };
}
