/** What a person may change on a draft. */
import { isDeepStrictEqual } from 'node:util';
import { defined } from '../../platform/defined.ts';
import { findPricingProblems, type PricingTerms } from '../rating/index.ts';
import { newLine } from './create-invoice.ts';
import type { InvoicesDeps } from './deps.ts';
import { invoiceProblem } from './errors.ts';
import type { Moving } from './lifecycle/collect.ts';
import { taxDefaultsOf } from './lifecycle/tax.ts';
import { collectionAtMs } from './lifecycle/times.ts';
import type { UpdateLine } from './line-schema.ts';
import type { UpdateInvoice } from './schema.ts';
import type { Invoice, InvoiceLine } from './types.ts';
import { isMetered } from './usage.ts';

/** The invoice as the request wants it. Pure but for looking up features. @throws DomainProblem 400 */
export async function editInvoice(deps: InvoicesDeps, moving: Moving, request: UpdateInvoice): Promise<Moving> {
  const { invoice } = moving;
  if (request.customer.id !== invoice.customerId) {
    throw invoiceProblem('invoice_cannot_be_edited', 'the customer cannot become another one', {
      field: 'customer.id',
    });
  }
  const lines = request.lines === undefined ? moving.lines : await editLines(deps, moving, request.lines);
  return { ...moving, invoice: editHead(invoice, request, lines), lines };
}

function editHead(invoice: Invoice, request: UpdateInvoice, lines: readonly InvoiceLine[]): Invoice {
  const { invoicing, payment } = request.workflow.workflow;
  const { description: _, labels: __, collectionAtMs: ___, ...rest } = invoice;
  const metered = lines.filter((line) => line.deletedAtMs === undefined && isMetered(line));
  const collectAtMs = collectionAtMs(
    metered.map(({ invoiceAtMs }) => invoiceAtMs),
    invoice.workflow.collection.interval,
  );
  const customer = defined(request.customer);
  return {
    ...rest,
    ...defined({ description: request.description, labels: request.labels, collectionAtMs: collectAtMs }),
    supplier: request.supplier,
    customer: { ...customer, key: customer.key ?? invoice.customer.key } as Invoice['customer'],
    workflow: {
      ...invoice.workflow,
      invoicing: { ...invoice.workflow.invoicing, ...invoicing },
      payment: payment ?? invoice.workflow.payment,
    },
  };
}

async function editLines(deps: InvoicesDeps, moving: Moving, wanted: readonly UpdateLine[]): Promise<InvoiceLine[]> {
  const nowMs = deps.clock.nowMs();
  const asked = new Map(wanted.filter(({ id }) => id !== undefined).map((line) => [line.id, line]));
  for (const id of asked.keys()) {
    const isThere = moving.lines.some((line) => line.id === id && line.deletedAtMs === undefined);
    if (!isThere) throw invoiceProblem('invoice_line_not_found', id);
  }
  const lines: InvoiceLine[] = [];
  for (const line of moving.lines) {
    const change = asked.get(line.id);
    if (line.deletedAtMs !== undefined) lines.push(line);
    else if (change === undefined) lines.push({ ...line, deletedAtMs: nowMs, controller: 'manual' });
    else lines.push(await changeLine(deps, line, change, wanted.indexOf(change)));
  }
  for (const [index, line] of wanted.entries()) {
    if (line.id === undefined) lines.push(await addLine(deps, moving.invoice, lines.length, line, index));
  }
  return lines;
}

async function changeLine(
  deps: InvoicesDeps,
  line: InvoiceLine,
  change: UpdateLine,
  index: number,
): Promise<InvoiceLine> {
  if (line.kind === 'correction') return changeTexts(line, change);
  const terms = checkedTerms(change, line.terms, index);
  const servicePeriod = readPeriod(change, index);
  const isSplit = line.splitPosition !== 'single';
  if (isSplit && terms.price.type === 'volume') throw invoiceProblem('invoice_line_volume_split', line.name);
  const isMoved = servicePeriod.fromMs !== line.servicePeriod.fromMs || servicePeriod.toMs !== line.servicePeriod.toMs;
  if (isMoved && isSplit) {
    const detail = 'the service period of a part of a longer period';
    throw invoiceProblem('invoice_line_cannot_change', detail, { field: `lines.${index}.service_period` });
  }
  const feature = await featureOf(deps, change, terms, index);
  const next: InvoiceLine = {
    ...changeTexts(line, change),
    terms,
    servicePeriod,
    fullServicePeriod: isSplit ? line.fullServicePeriod : servicePeriod,
    ...feature,
    ...taxOf(change),
  };
  return isUnchanged(line, next) ? line : { ...next, controller: 'manual' };
}

/** Changed or not, a client sends the whole line: only what differs makes it a person's. */
function isUnchanged(line: InvoiceLine, next: InvoiceLine): boolean {
  return isDeepStrictEqual(line, next);
}

function changeTexts(line: InvoiceLine, change: UpdateLine): InvoiceLine {
  const { description: _, labels: __, ...rest } = line;
  return { ...rest, name: change.name, ...defined({ description: change.description, labels: change.labels }) };
}

function taxOf({ rate_card }: UpdateLine): Pick<InvoiceLine, 'taxConfig'> {
  const { tax_config } = rate_card;
  if (tax_config === undefined) return {};
  return { taxConfig: { ...defined({ behavior: tax_config.behavior }), taxCodeId: tax_config.code.id } };
}

async function addLine(
  deps: InvoicesDeps,
  invoice: Invoice,
  position: number,
  wanted: UpdateLine,
  index: number,
): Promise<InvoiceLine> {
  const terms = checkedTerms(wanted, undefined, index);
  const servicePeriod = readPeriod(wanted, index);
  const draft = {
    kind: 'manual' as const,
    controller: 'manual' as const,
    name: wanted.name,
    ...defined({ description: wanted.description, labels: wanted.labels }),
    ...(await featureOf(deps, wanted, terms, index)),
    ...taxOf(wanted),
    terms,
    servicePeriod,
    fullServicePeriod: servicePeriod,
    invoiceAtMs: servicePeriod.toMs,
    splitPosition: 'single' as const,
  };
  const tax = taxDefaultsOf(invoice.workflow.tax, await deps.invoicingTaxCode(deps.db));
  return newLine(deps, draft, { invoiceId: invoice.id, position }, tax);
}

/** The price that is asked for, with what of the old terms an edit does not touch. */
function checkedTerms(wanted: UpdateLine, old: PricingTerms | undefined, index: number): PricingTerms {
  const { price, discounts } = wanted.rate_card;
  const isUsage = price.type !== 'flat' && price.type !== 'free';
  const kept = isUsage ? defined({ unit_config: old?.unit_config, commitments: old?.commitments }) : {};
  const terms: PricingTerms = {
    price,
    ...kept,
    ...(old?.payment_term !== undefined && !isUsage && { payment_term: old.payment_term }),
    ...(discounts !== undefined && { discounts: defined(discounts) }),
  };
  const [problem] = findPricingProblems(terms);
  if (problem !== undefined) {
    const field = `lines.${index}.rate_card.${problem.field}`;
    throw invoiceProblem('invoice_pricing_invalid', problem.message, { field });
  }
  return terms;
}

function readPeriod({ service_period }: UpdateLine, index: number): InvoiceLine['servicePeriod'] {
  const [fromMs, toMs] = [Date.parse(service_period.from), Date.parse(service_period.to)];
  if (fromMs > toMs)
    throw invoiceProblem('charge_period_invalid', undefined, { field: `lines.${index}.service_period` });
  return { fromMs, toMs };
}

async function featureOf(
  deps: InvoicesDeps,
  { rate_card }: UpdateLine,
  terms: PricingTerms,
  index: number,
): Promise<Pick<InvoiceLine, 'featureId' | 'featureKey'>> {
  const key = rate_card.feature_key;
  const feature = key === undefined ? undefined : (await deps.findFeaturesByKey([key])).get(key);
  const isUsage = terms.price.type !== 'flat' && terms.price.type !== 'free';
  if ((isUsage && feature?.meter === undefined) || (key !== undefined && feature === undefined)) {
    throw invoiceProblem('invoice_line_needs_feature', key ?? 'none is given', {
      field: `lines.${index}.rate_card.feature_key`,
    });
  }
  return feature === undefined ? {} : { featureId: feature.id, featureKey: feature.key };
}
