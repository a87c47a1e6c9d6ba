import { Decimal as DecimalConstructor } from 'decimal.js';

/**
 * Decimal numbers for quantities and money. Sums of anything that a 64-bit float can hold are exact: such values span
 * at most 308 digits before and 400 after the point, so 800 significant digits leave room for sums of many.
 */
export const Decimal = DecimalConstructor.clone({
  precision: 800,
  rounding: DecimalConstructor.ROUND_HALF_UP, // half away from zero
  toExpNeg: -9e15, // never print an exponent
  toExpPos: 9e15,
});
export type Decimal = InstanceType<typeof DecimalConstructor>;

export const ZERO: Decimal = new Decimal(0);

/** The sum of any number of values, 0 of none; `Decimal.sum(...values)` ends with an error when there are too many. */
export function sumDecimals(values: Iterable<DecimalConstructor.Value>): Decimal {
  let sum = ZERO;
  for (const value of values) sum = sum.add(value);
  return sum;
}

/** Plain decimal text without an exponent: "12.3456", "100", "-0.5"; never "-0". */
export function formatDecimal(value: Decimal): string {
  return value.isZero() ? '0' : value.toFixed();
}
