/** What an invoice says on paper, whatever the paper is. */

import { isZero } from '../../platform/decimal-texts.ts';
import type { Invoice, InvoiceLine } from '../invoice-records/index.ts';
import { type Address, addressLines, type Formats } from './address.ts';
import { languagesOf } from './formats.ts';

export interface Row {
  name: string;
  /** Texts of their own: each may be written in another direction. */
  details: string[];
  quantity: string;
  unitPrice: string;
  amount: string;
  /** A part of the line above it. */
  isDetail: boolean;
}

export interface InvoiceContent {
  title: string;
  /** Of who reads it and where they live, the most wanted first: countries write the same characters differently. */
  languages: string[];
  /** When what it says came to be. */
  createdAtMs: number;
  supplier: string[];
  customer: string[];
  /** Label and value. */
  facts: [string, string][];
  rows: Row[];
  totals: [string, string][];
  note: string | undefined;
}

export function contentOf(invoice: Invoice, lines: readonly InvoiceLine[], formats: Formats): InvoiceContent {
  const { supplier, customer } = invoice;
  return {
    title: `Invoice ${invoice.number}`,
    languages: languagesOf(formats.locale, customer),
    createdAtMs: invoice.issuedAtMs ?? invoice.createdAtMs,
    supplier: partyLines(supplier.name, supplier.addresses?.billing_address, supplier.tax_id?.code),
    customer: partyLines(customer.name, customer.billing_address, undefined),
    facts: factsOf(invoice, formats),
    rows: lines.filter((line) => line.deletedAtMs === undefined).flatMap((line) => rowsOf(line, formats)),
    totals: totalsOf(invoice, formats),
    note: invoice.description,
  };
}

function partyLines(name: string | undefined, address: Address | undefined, taxId: string | undefined): string[] {
  return [name ?? '', ...addressLines(address), taxId === undefined ? '' : `Tax ID ${taxId}`].filter(
    (line) => line !== '',
  );
}

function factsOf(invoice: Invoice, { day, period }: Formats): [string, string][] {
  const facts: [string, number | undefined][] = [
    ['Issued', invoice.issuedAtMs],
    ['Due', invoice.dueAtMs],
  ];
  const { fromMs, toMs } = invoice.servicePeriod;
  return [
    ['Number', invoice.number],
    ...facts.flatMap(([label, atMs]): [string, string][] => (atMs === undefined ? [] : [[label, day(atMs)]])),
    ['Service period', period(fromMs, toMs)],
    ['Status', invoice.status.split('.')[0]?.replaceAll('_', ' ') ?? ''],
  ];
}

function rowsOf(line: InvoiceLine, formats: Formats): Row[] {
  const { rated } = line;
  const details = rated?.detailedLines ?? [];
  const period = formats.period(line.servicePeriod.fromMs, line.servicePeriod.toMs);
  const [only] = details;
  const single = details.length === 1 ? only : undefined;
  return [
    {
      name: line.name,
      details: [period, line.description ?? '', ...paidOf(rated?.totals.creditsTotal ?? '0', formats)].filter(
        (text) => text !== '',
      ),
      quantity: single === undefined ? '' : formats.number(single.quantity),
      unitPrice: single === undefined ? '' : formats.money(single.unitPrice),
      amount: formats.money(rated?.totals.total ?? '0'),
      isDetail: false,
    },
    ...(single === undefined ? details : []).map((detail) => ({
      name: detail.name,
      details: isZero(detail.totals.discountsTotal) ? [] : [`discount ${formats.money(detail.totals.discountsTotal)}`],
      quantity: formats.number(detail.quantity),
      unitPrice: formats.money(detail.unitPrice),
      amount: formats.money(detail.totals.total),
      isDetail: true,
    })),
  ];
}

function paidOf(credits: string, { money }: Formats): string[] {
  return isZero(credits) ? [] : [`credits ${money(credits)}`];
}

/** Taxes and deductions only where there are any. */
function totalsOf({ totals }: Invoice, { money }: Formats): [string, string][] {
  const optional: [string, string][] = [
    ['Minimum spend', totals.chargesTotal],
    ['Discounts', totals.discountsTotal],
    ['Credits', totals.creditsTotal],
    ['Taxes', totals.taxesTotal],
  ];
  return [
    ['Amount', money(totals.amount)],
    ...optional
      .filter(([, amount]) => !isZero(amount))
      .map(([label, amount]): [string, string] => [label, money(amount)]),
    ['Total', money(totals.total)],
  ];
}
