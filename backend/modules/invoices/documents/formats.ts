/** Money, dates and quantities as people of a locale write them. */
import { Decimal } from '../../../platform/decimal.ts';
import { currencyOf } from '../money.ts';
import type { InvoiceCustomer } from '../types.ts';

export interface Formats {
  locale: string;
  money(amount: string): string;
  /** As many digits as it has. */
  number(value: string): string;
  day(atMs: number): string;
}

/** Prices for one unit may have more digits than the currency: a hundredth of a cent for each call. */
const MAX_DIGITS = 20;

/** The locale that was asked for, else that of the customer's country, else English. */
export function localeOf(asked: string | undefined, customer: InvoiceCustomer): string {
  for (const candidate of [asked, countryLocale(customer.billing_address?.country)]) {
    const known = candidate === undefined ? undefined : supported(candidate);
    if (known !== undefined) return known;
  }
  return 'en';
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

export function formatsOf(locale: string, currency: string): Formats {
  const { digits } = currencyOf(currency);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const money = (places: number) =>
    new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: places,
    });
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: MAX_DIGITS });
  return {
    locale,
    // Decimal text, not a floating point number: formats take it digit by digit.
    money: (amount) => money(placesOf(amount, digits)).format(amount as Intl.StringNumericLiteral),
    number: (value) => number.format(value as Intl.StringNumericLiteral),
    day: (atMs) => day.format(atMs),
  };
}

function placesOf(amount: string, digits: number): number {
  return Math.min(Math.max(new Decimal(amount).decimalPlaces(), digits), MAX_DIGITS);
}
