/** Decimal texts computed with, where a whole Decimal would be made for one step. */
import { Decimal, formatDecimal, sumDecimals } from './decimal.ts';

/** Sum of decimal texts. */
export function sumOf(texts: readonly string[]): string {
  return formatDecimal(sumDecimals(texts));
}

/** Difference of decimal texts. */
export function differenceOf(minuend: string, subtrahend: string): string {
  return formatDecimal(new Decimal(minuend).sub(subtrahend));
}

export function isZero(text: string): boolean {
  return new Decimal(text).isZero();
}

export function isNegative(text: string): boolean {
  return new Decimal(text).lt(0);
}
