/**
 * Amounts as Stripe has them: whole numbers of its own smallest unit, which is not always ISO 4217's. Pure.
 * Source: docs.stripe.com/currencies.
 */
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { AppRefused } from '../outgoing/index.ts';

const NO_DECIMALS = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');
const THREE_DECIMALS = 'BHD JOD KWD OMR TND'.split(' ');
/** Written with two decimals, and nothing after the point but zeros. */
const WHOLE_WITH_DECIMALS = ['ISK'];
/** Stripe's pages say two things of its smallest unit: a factor of a hundred is not guessed. */
const AMBIGUOUS = ['UGX'];

function digitsOf(currency: string): number {
  if (NO_DECIMALS.includes(currency)) return 0;
  return THREE_DECIMALS.includes(currency) ? 3 : 2;
}

/** Larger ones are refused there. */
const MAX_DIGITS = 12;

/** @throws AppRefused when Stripe cannot charge the amount as it is: nothing is rounded on the way */
export function toMinorUnits(amount: string, currency: string): number {
  const refuse = (why: string) =>
    new AppRefused('app_amount_not_chargeable', `Stripe cannot charge ${amount} ${currency}: ${why}`);
  if (AMBIGUOUS.includes(currency)) throw refuse('how it counts this currency is not certain');
  const value = new Decimal(amount);
  const digits = digitsOf(currency);
  const minor = value.mul(new Decimal(10).pow(digits));
  if (!minor.isInteger()) throw refuse(digits === 0 ? 'it knows no fractions of it' : `it knows ${digits} decimals`);
  if (THREE_DECIMALS.includes(currency) && !minor.mod(10).isZero())
    throw refuse('the last of three decimals has to be 0');
  if (WHOLE_WITH_DECIMALS.includes(currency) && !value.isInteger()) throw refuse('it knows no fractions of it');
  const text = formatDecimal(minor);
  if (text.replace('-', '').length > MAX_DIGITS) throw refuse('it is too much');
  return Number.parseInt(text, 10);
}

/** @param currency in capitals */
export function fromMinorUnits(minor: number, currency: string): string {
  return formatDecimal(new Decimal(minor).div(new Decimal(10).pow(digitsOf(currency))));
}
