/** What an invoice says on paper, whatever the paper is. */

import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { isZero } from '../../platform/decimal-texts.ts';
import type { InvoiceDocumentSettings, Language } from '../billing-profiles/index.ts';
import type { Invoice, InvoiceLine } from '../invoice-records/index.ts';
import { type Address, addressLines } from './address.ts';
import { type Formats, languagesOf } from './formats.ts';
import { type Row, rowsOf, untaxed } from './rows.ts';
import { type TaxTable, taxTableOf } from './tax-table.ts';
import { type Words, wordsOf } from './words/index.ts';

export interface InvoiceContent {
  title: string;
  /** "Draft – not an invoice", "Void"; undefined: it is an invoice that stands. */
  mark: string | undefined;
  /** Of its words. */
  language: Language;
  /** Its language runs from right to left, and so does its layout. */
  isRtl: boolean;
  /** Of who reads it and where they live, the most wanted first: countries write the same characters differently. */
  languages: string[];
  /** When what it says came to be. */
  createdAtMs: number;
  pageSize: 'A4' | 'letter';
  /** A data URL. */
  logo: string | undefined;
  supplier: string[];
  customer: string[];
  /** Label and value. */
  facts: [string, string][];
  rows: Row[];
  /** The last one is what is to be paid. */
  totals: [string, string][];
  taxes: TaxTable | undefined;
  /** Below everything: a heading, and what stands under it. */
  notes: { heading: string | undefined; text: string }[];
  /** At the foot of each page, before its number. */
  footer: string;
  words: Words;
}

const RTL: ReadonlySet<Language> = new Set(['ar', 'he']);

/** What a document needs besides the invoice. */
export interface DocumentFrame {
  settings: InvoiceDocumentSettings;
  language: Language;
  logo: string | undefined;
}

export function contentOf(
  invoice: Invoice,
  lines: readonly InvoiceLine[],
  formats: Formats,
  { settings, language, logo }: DocumentFrame,
): InvoiceContent {
  const { profile } = settings;
  const words = wordsOf(language);
  return {
    title: `${words.invoice} ${invoice.number}`,
    mark: markOf(invoice, words),
    language,
    isRtl: RTL.has(language),
    languages: languagesOf(formats.locale, invoice.customer),
    createdAtMs: invoice.issuedAtMs ?? invoice.createdAtMs,
    pageSize: profile.page_size ?? 'A4',
    logo,
    supplier: supplierLines(invoice, settings, words, language),
    customer: customerLines(invoice, settings, words, language),
    facts: factsOf(invoice, settings, formats, words),
    rows: lines.filter((line) => line.deletedAtMs === undefined).flatMap((line) => rowsOf(line, formats, words)),
    totals: totalsOf(invoice, formats, words),
    taxes: taxTableOf(invoice, formats, words),
    notes: notesOf(invoice, settings, words),
    footer: [profile.footer ?? '', `${words.invoice} ${invoice.number}`].filter((text) => text !== '').join(' · '),
    words,
  };
}

function markOf({ status }: Invoice, words: Words): string | undefined {
  const [short = ''] = status.split('.');
  if (short === 'voided') return words.voided;
  return ['draft', 'issuing', 'delete', 'deleted'].includes(short) ? words.draft : undefined;
}

function supplierLines(
  { supplier }: Invoice,
  { profile }: InvoiceDocumentSettings,
  words: Words,
  language: Language,
): string[] {
  return [
    ...partyLines(supplier.name, supplier.addresses?.billing_address, language),
    labelled(words.taxId, supplier.tax_id?.code),
    labelled(words.register, profile.registration),
    labelled(words.contact, profile.contact),
  ].filter((line) => line !== '');
}

function customerLines(
  invoice: Invoice,
  { customer: own }: InvoiceDocumentSettings,
  words: Words,
  language: Language,
): string[] {
  const { customer, customerTax } = invoice;
  const [name = '', ...address] = partyLines(customer.name, customer.billing_address, language);
  const ids = (customerTax?.tax_ids ?? []).map(({ type, value }) =>
    labelled(type === 'vat' ? words.vatId : words.taxId, value),
  );
  return [name, labelled(words.attention, own.contact), ...address, ...ids].filter((line) => line !== '');
}

function partyLines(name: string | undefined, address: Address | undefined, language: Language): string[] {
  return [name ?? '', ...addressLines(address, language)];
}

function labelled(label: string, value: string | undefined): string {
  return value === undefined ? '' : `${label}: ${value}`;
}

function factsOf(
  invoice: Invoice,
  { customer }: InvoiceDocumentSettings,
  { day, period }: Formats,
  words: Words,
): [string, string][] {
  const days: [string, number | undefined][] = [
    [words.issued, invoice.issuedAtMs],
    [words.due, invoice.dueAtMs],
  ];
  const texts: [string, string | undefined][] = [
    [words.purchaseOrder, customer.purchase_order],
    [words.reference, customer.buyer_reference],
  ];
  const { fromMs, toMs } = invoice.servicePeriod;
  return [
    [words.number, invoice.number],
    ...days.flatMap(([label, atMs]): [string, string][] => (atMs === undefined ? [] : [[label, day(atMs)]])),
    [words.servicePeriod, period(fromMs, toMs)],
    ...texts.flatMap(([label, text]): [string, string][] => (text === undefined ? [] : [[label, text]])),
  ];
}

/** Taxes and deductions only where there are any. The amounts of the lines come to what is left before taxes. */
function totalsOf({ totals }: Invoice, { money }: Formats, words: Words): [string, string][] {
  const negative = (amount: string) => formatDecimal(new Decimal(amount).neg());
  const optional: [string, string][] = [
    [words.minimumSpend, totals.chargesTotal],
    [words.discounts, negative(totals.discountsTotal)],
    [words.credits, negative(totals.creditsTotal)],
  ];
  const taxes: [string, string][] = isZero(totals.taxesExclusiveTotal)
    ? []
    : [
        [words.net, untaxed(totals)],
        [words.tax, totals.taxesExclusiveTotal],
      ];
  const rows: [string, string][] = [
    [words.subtotal, totals.amount],
    ...optional.filter(([, amount]) => !isZero(amount)),
    ...taxes,
    [words.total, totals.total],
  ];
  return rows.map(([label, amount]) => [label, money(amount)]);
}

function notesOf({ description }: Invoice, { profile }: InvoiceDocumentSettings, words: Words) {
  const notes: { heading: string | undefined; text: string | undefined }[] = [
    { heading: undefined, text: description },
    { heading: words.howToPay, text: profile.payment_instructions },
    { heading: words.terms, text: profile.terms },
  ];
  return notes.flatMap(({ heading, text }) => (text === undefined ? [] : [{ heading, text }]));
}
