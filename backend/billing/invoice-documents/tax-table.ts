/** The taxes of an invoice, rate by rate, as its document has them. */
import type { Invoice } from '../invoice-records/index.ts';
import type { Formats } from './formats.ts';
import { type Words, wordsOf } from './words/index.ts';

export interface TaxTable {
  head: [string, string, string];
  /** The rate, with what is to be said of it; what is taxed; the tax. */
  rows: { rate: string; details: string[]; base: string; tax: string }[];
}

/** undefined: no taxes are computed. */
export function taxTableOf({ taxes = [] }: Invoice, formats: Formats, words: Words): TaxTable | undefined {
  if (taxes.length === 0) return undefined;
  return {
    head: [words.rate, words.taxable, words.tax],
    rows: taxes.map(({ name, category, percentage, reason, base, amount }) => {
      // The law asks for the words of the reader, and everybody knows the English ones.
      const { reverseCharge } = wordsOf('en');
      const said =
        category === 'reverse_charge'
          ? [words.reverseCharge, reverseCharge]
          : category === 'exempt'
            ? [words.exempt]
            : [];
      const details = new Set([...said, ...(reason === undefined ? [] : [reason])]);
      details.delete(name);
      return {
        rate: category === 'standard' ? `${name} · ${formats.number(percentage)} %` : name,
        details: [...details],
        base: formats.money(base),
        tax: formats.money(amount),
      };
    }),
  };
}
