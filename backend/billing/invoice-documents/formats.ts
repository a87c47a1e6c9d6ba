/** Money, dates and quantities as people of a locale write them. */
import { Decimal } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { Language } from '../billing-profiles/index.ts';
import type { InvoiceCustomer } from '../invoice-records/index.ts';

export interface Formats {
  locale: string;
  money(amount: string): string;
  /** As many digits as it has. */
  number(value: string): string;
  day(atMs: number): string;
  /** From its first day to its last, the end itself not being in it; of a day, that day. */
  period(fromMs: number, toMs: number): string;
}

/** Prices for one unit may have more digits than the currency: a hundredth of a cent for each call. */
const MAX_DIGITS = 20;
/** The digits that everybody reads, and that nobody can take for others: 0 to 9. */
const DIGITS = 'latn';

/** The locale that was asked for, else the agreed language as in the customer's country, else that of the country, else English. */
export function localeOf(
  asked: string | undefined,
  { billing_address }: Pick<InvoiceCustomer, 'billing_address'>,
  language: Language | undefined,
): string {
  const country = billing_address?.country;
  const agreed = language === undefined || country === undefined ? language : `${language}-${country}`;
  for (const candidate of [asked, agreed, countryLocale(country)]) {
    const known = candidate === undefined ? undefined : supported(candidate);
    if (known !== undefined) return known;
  }
  return 'en';
}

/** What to prefer where languages write a character in different ways: the reader's manner, then that of the country. */
export function languagesOf(locale: string, customer: InvoiceCustomer): string[] {
  const own = countryLocale(customer.billing_address?.country);
  return own === undefined || own === locale ? [locale] : [locale, own];
}

/** The language that most people of a country speak: "DE" is de-DE. */
function countryLocale(country: string | undefined): string | undefined {
  if (country === undefined) return undefined;
  try {
    const { language, region } = new Intl.Locale(`und-${country}`).maximize();
    return region === undefined ? language : `${language}-${region}`;
  } catch {
    return undefined;
  }
}

function supported(locale: string): string | undefined {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale)[0];
  } catch {
    return undefined;
  }
}

export function formatsOf(locale: string, { code, digits }: Currency): Formats {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC', numberingSystem: DIGITS });
  // Locales know how to write currencies of ISO 4217; custom ones may have any code.
  const style = isIsoCode(code) ? { style: 'currency' as const, currency: code } : {};
  const money = (amount: string) => {
    const places = { minimumFractionDigits: digits, maximumFractionDigits: placesOf(amount, digits) };
    // Decimal text, not a floating point number: formats take it digit by digit.
    const text = new Intl.NumberFormat(locale, { ...style, ...places, numberingSystem: DIGITS }).format(
      amount as Intl.StringNumericLiteral,
    );
    return isIsoCode(code) ? text : `${text} ${code}`;
  };
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: MAX_DIGITS, numberingSystem: DIGITS });
  return {
    locale,
    money,
    number: (value) => number.format(value as Intl.StringNumericLiteral),
    day: (atMs) => day.format(atMs),
    period: (fromMs, toMs) => {
      const days = [fromMs, Math.max(fromMs, toMs - 1)].map((atMs) => day.format(atMs));
      return [...new Set(days)].join(' – ');
    },
  };
}

/** Of three letters, as locales ask for; which of them are in use they do not care. */
function isIsoCode(code: string): boolean {
  return /^[A-Z]{3}$/.test(code);
}

function placesOf(amount: string, digits: number): number {
  return Math.min(Math.max(new Decimal(amount).decimalPlaces(), digits), MAX_DIGITS);
}
