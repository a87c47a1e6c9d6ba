import { Decimal } from './decimal.ts';

/** A currency, as far as arithmetic needs it. */
export interface Currency {
  /** ISO 4217 code ("USD"), or the code of a custom currency ("CREDITS"). */
  code: string;
  /** Digits after the decimal point of the smallest unit that can be paid: 2 for USD, 0 for JPY. 0 to 12. */
  digits: number;
}

/** Custom currencies may define up to this many digits (OpenMeter's limit). */
export const MAX_CURRENCY_DIGITS = 12;

/** Rounds to the currency's smallest unit, half away from zero: 0.005 USD is 0.01, -0.005 USD is -0.01. */
export function roundMoney(amount: Decimal, currency: Currency): Decimal {
  return amount.toDecimalPlaces(currency.digits, Decimal.ROUND_HALF_UP);
}

/** Whether the amount can be paid in the currency, so that rounding would not change it. */
export function isPayable(amount: Decimal, currency: Currency): boolean {
  return amount.decimalPlaces() <= currency.digits;
}
