import { fiatCurrency } from '../../platform/currencies.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { Totals } from '../rating/index.ts';

/** ISO 4217 where it is one. Custom currencies are settled in credits: their amounts keep all digits here. */
export function currencyOf(code: string): Currency {
  return fiatCurrency(code) ?? { code, digits: 12 };
}

export const NO_TOTALS: Totals = {
  amount: '0',
  chargesTotal: '0',
  discountsTotal: '0',
  creditsTotal: '0',
  taxesTotal: '0',
  taxesInclusiveTotal: '0',
  taxesExclusiveTotal: '0',
  total: '0',
};

/** Sum of decimal texts. */
export function sumOf(texts: readonly string[]): string {
  return formatDecimal(Decimal.sum(ZERO, ...texts));
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
