import { type Currency, MAX_CURRENCY_DIGITS } from './money.ts';

/**
 * ISO 4217 minor digits where they are not 2. Intl is not asked for them: it knows the digits people write (none for
 * HUF, COP or PKR), they differ from ISO 4217's, and they change with the ICU version that a Node release carries.
 */
const OTHER_DIGITS: Readonly<Record<string, number>> = {
  ...digitsOf(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
  ...digitsOf(3, 'BHD IQD JOD KWD LYD OMR TND'),
};
const KNOWN_CODES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/**
 * The fiat currency of an ISO 4217 code in capitals.
 * @returns undefined when no such currency is known
 */
export function fiatCurrency(code: string): Currency | undefined {
  return KNOWN_CODES.has(code) ? { code, digits: OTHER_DIGITS[code] ?? 2 } : undefined;
}

/**
 * A currency that is no ISO 4217 one.
 * @param digits digits after the decimal point, 0 to 12
 * @throws RangeError for other digits
 */
export function customCurrency(code: string, digits: number): Currency {
  if (!Number.isInteger(digits) || digits < 0 || digits > MAX_CURRENCY_DIGITS) {
    throw new RangeError(`A currency has 0 to ${MAX_CURRENCY_DIGITS} digits, not ${digits}`);
  }
  return { code, digits };
}

function digitsOf(digits: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, digits]));
}
