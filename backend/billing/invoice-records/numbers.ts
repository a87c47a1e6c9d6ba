/** Invoice numbers. Pure; the counters are the repository's. */

import type { Numbering } from '../billing-profiles/index.ts';

/** Letters that a decomposition does not turn into ASCII. */
const OTHER_LETTERS: Readonly<Record<string, string>> = {
  ß: 'SS',
  ẞ: 'SS',
  Æ: 'AE',
  æ: 'AE',
  Œ: 'OE',
  œ: 'OE',
  Ø: 'O',
  ø: 'O',
  Ł: 'L',
  ł: 'L',
  Đ: 'D',
  đ: 'D',
  Ð: 'D',
  ð: 'D',
  Þ: 'TH',
  þ: 'TH',
  ı: 'I',
};

/**
 * The customer's part of an invoice number: "ACME Inc." gives ACIN, "Kong" KONG, a name without Latin letters UNKN.
 * Source: OpenMeter, openmeter/billing/sequence.go.
 */
export function customerPrefix(name: string): string {
  const plain = [...name.normalize('NFKD')].map((letter) => OTHER_LETTERS[letter] ?? letter).join('');
  const words = plain
    .split(/\s+/)
    .map((word) => word.replace(/[^A-Za-z0-9]/g, '').toUpperCase())
    .filter((word) => word !== '');
  const [first, second] = words;
  if (first === undefined) return 'UNKN';
  return second === undefined ? first.slice(0, 4) : `${first.slice(0, 2)}${second.slice(0, 2)}`;
}

/** Where a number is counted. Gathering and draft numbers may have gaps, those of issued invoices have none. */
export type NumberScope =
  | 'invoices/gathering'
  | 'invoices/draft'
  | `invoices/app/${string}`
  | `invoices/number/${string}`;

export function gatheringNumber(customerName: string, currency: string, count: number): string {
  return `GATHER-${customerPrefix(customerName)}-${currency}-${count}`;
}

export function draftNumber(customerName: string, count: number): string {
  return `DRAFT-${customerPrefix(customerName)}-${count}`;
}

/** The number of an issued invoice. @param prefix of the app that issues it */
export function issuedNumber(prefix: string, customerName: string, count: number): string {
  return `${prefix}-${customerPrefix(customerName)}-${count}`;
}

/** The number of an issued invoice as its profile numbers, and where it is counted. @param issuedMs the year is that of UTC */
export function profileNumbers({ prefix, with_year, digits }: Numbering, issuedMs: number) {
  const start = with_year ? `${prefix}${new Date(issuedMs).getUTCFullYear()}-` : prefix;
  return {
    scope: `invoices/number/${start}` as const,
    numberOf: (count: number) => `${start}${String(count).padStart(digits, '0')}`,
  };
}

export function isDraftNumber(number: string): boolean {
  return number.startsWith('DRAFT-');
}
