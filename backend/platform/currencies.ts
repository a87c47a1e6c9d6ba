import { type Currency, MAX_CURRENCY_DIGITS } from './money.ts';

/**
 * ISO 4217 minor digits where they are not 2. Intl is not asked for them: it knows the digits people write (none for
 * HUF, COP or PKR), they differ from ISO 4217's, and they change with the ICU version that a Node release carries.
 */
const OTHER_DIGITS: Readonly<Record<string, number>> = {
  ...digitsOf(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digitsOf(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digitsOf(4, 'CLF UYW'),
};
/**
 * The codes of money in ISO 4217's list of active ones, its units of account included (CLF, CHE), without metals, units of
 * settlement between states, and test codes; with the guilder of the Antilles and the lev, withdrawn lately, for invoices that were agreed in them. Intl lists those of all times.
 */
const ACTIVE_CODES: readonly string[] = [
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP',
  'CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR',
  'ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT',
  'MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD',
  'SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES',
  'VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG BOV CHE CHW CLF COU MXV USN UYI UYW',
].flatMap((line) => line.split(' '));

const FIAT: ReadonlyMap<string, Currency> = new Map(
  ACTIVE_CODES.map((code) => [code, { code, digits: OTHER_DIGITS[code] ?? 2 }]),
);

/** All fiat currencies that can be billed in, by their codes in order. */
export const FIAT_CURRENCIES: readonly Currency[] = [...FIAT.values()];

/**
 * The fiat currency of an ISO 4217 code in capitals.
 * @returns undefined when no such currency is known
 */
export function fiatCurrency(code: string): Currency | undefined {
  return FIAT.get(code);
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
