import { FIAT_CURRENCIES } from '../../platform/currencies.ts';
import type { FiatCurrency } from './schema.ts';

/** No-break space: an amount must not be torn at its thousands. */
const SPACE = '\u00a0';

/** Decimal mark and thousand separator as they are written where the currency is from; elsewhere "." and ",". */
const OTHER_MARKS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ...marks(',', '.', 'AOA ARS BAM BOB BRL CLP COP CRC DKK EUR IDR ISK MKD MZN PYG RON RSD TRY UYU VED VES VND STN AZN'),
  ...marks(',', SPACE, 'ALL AMD BGN BYN CVE CZK GEL HUF KGS KZT MDL NOK PLN RUB SEK TJS TMT UAH UZS XAF XOF XPF ZAR'),
  ...marks('.', '’', 'CHF'),
]);

/** How many currencies' signs read: with the narrow ones every dollar is "$". */
const inEnglish = new Intl.DisplayNames('en', { type: 'currency' });

/** All fiat currencies as the API lists them. */
export const FIAT_CURRENCY_LIST: readonly FiatCurrency[] = FIAT_CURRENCIES.map(({ code, digits }) => {
  const [decimal_mark, thousand_separator] = OTHER_MARKS.get(code) ?? (['.', ','] as const);
  return {
    type: 'fiat',
    code,
    name: inEnglish.of(code) ?? code,
    symbol: symbolOf(code),
    precision: digits,
    decimal_mark,
    thousand_separator,
  };
});

/** The sign of the currency at home: "$", "€"; its code when it has none. */
function symbolOf(code: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol' });
  return format.formatToParts(0).find((part) => part.type === 'currency')?.value ?? code;
}

function marks(decimalMark: string, thousandSeparator: string, codes: string) {
  return codes.split(' ').map((code) => [code, [decimalMark, thousandSeparator]] as const);
}
