import { Decimal } from '../../platform/decimal.ts';
import { RatingError } from './errors.ts';

/** Longer than any sum of 64-bit floats in plain digits (308 before the point, 400 after), shorter than an attack. */
const MAX_DIGITS_TEXT = 800;
const DECIMAL_TEXT = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$/;

/** Reads a decimal text; undefined when it is none. Infinity and NaN, which Decimal itself would read, are none. */
export function parseNumber(text: unknown): Decimal | undefined {
  if (typeof text !== 'string' || text.length > MAX_DIGITS_TEXT || !DECIMAL_TEXT.test(text)) return undefined;
  return new Decimal(text);
}

/** @throws RatingError `invalid_number` when the text is no decimal number */
export function readNumber(text: string, what: string): Decimal {
  const value = parseNumber(text);
  if (value === undefined) throw new RatingError('invalid_number', `${what} is no decimal number: ${String(text)}`);
  return value;
}
