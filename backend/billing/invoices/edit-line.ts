/** Lines that a person changes or adds: each field that is set is noted on the line, so that nobody has to guess later. */

import { isDeepStrictEqual } from 'node:util';
import {
  chargesUsage,
  feeOf,
  findPricingProblems,
  fixedAmountOf,
  needsWholePeriod,
  type PricingTerms,
} from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { defined } from '../../platform/defined.ts';
import { type Charge, chargeProblem } from '../charges/index.ts';
import type {
  Invoice,
  InvoiceLine,
  LineDraft,
  LineField,
  LineOverrides,
  UpdateLine,
} from '../invoice-records/index.ts';
import { newLine } from './create-invoice.ts';
import type { InvoicesDeps } from './deps.ts';
import { invoiceProblem } from './errors.ts';
import { taxDefaultsOf } from './lifecycle/tax-defaults.ts';

/** The line as it is wanted; the very same one when nothing is different. @throws DomainProblem 400 */
export async function changeLine(
  deps: InvoicesDeps,
  scope: CustomerScope,
  line: InvoiceLine,
  change: UpdateLine,
  index: number,
): Promise<InvoiceLine> {
  const fields = changedFields(line, change);
  if (fields.length === 0) return line;
  refuseChanges(line, fields, index);
  const terms = fields.some((field) => field === 'price' || field === 'discounts')
    ? checkedTerms(change, line.terms, index)
    : line.terms;
  const isSplit = line.splitPosition !== 'single';
  if (isSplit && fields.includes('price') && needsWholePeriod(terms.price))
    throw invoiceProblem('invoice_line_volume_split', line.name);
  const servicePeriod = fields.includes('period') ? readPeriod(change, index) : line.servicePeriod;
  const isNewFeature = fields.includes('feature') || fields.includes('price');
  const { description: _, labels: __, ...rest } = line;
  return {
    ...rest,
    name: change.name,
    ...defined({ description: change.description, labels: change.labels }),
    terms,
    servicePeriod,
    fullServicePeriod: fields.includes('period') ? servicePeriod : line.fullServicePeriod,
    ...(isNewFeature && (await featureOf(deps, scope, change, terms, index, line.featureKey))),
    ...taxOf(change),
    controller: 'manual',
    overrides: overridesOf(line, terms, servicePeriod, fields),
  };
}

/** What differs from the line as an answer has it. A field that an answer may leave out, and that is left out, stays. */
function changedFields(line: InvoiceLine, change: UpdateLine): LineField[] {
  const { price, discounts, tax_config, feature_key } = change.rate_card;
  const { service_period } = change;
  const [fromMs, toMs] = [Date.parse(service_period.from), Date.parse(service_period.to)];
  const tax = tax_config && { ...defined({ behavior: tax_config.behavior }), taxCodeId: tax_config.code.id };
  const differs: Readonly<Record<LineField, boolean>> = {
    name: change.name !== line.name,
    description: change.description !== line.description,
    labels: !isDeepStrictEqual(change.labels ?? {}, line.labels ?? {}),
    price: !isDeepStrictEqual(plain(price), plain(line.terms.price)),
    discounts: !isDeepStrictEqual(plain(discounts ?? {}), plain(line.terms.discounts ?? {})),
    tax: tax !== undefined && !isDeepStrictEqual(plain(tax), plain(line.taxConfig ?? {})),
    feature: feature_key !== undefined && feature_key !== line.featureKey,
    period: fromMs !== line.servicePeriod.fromMs || toMs !== line.servicePeriod.toMs,
  };
  return (Object.keys(differs) as LineField[]).filter((field) => differs[field]);
}

/** As it is stored. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const TEXTS: ReadonlySet<LineField> = new Set(['name', 'description', 'labels']);

function refuseChanges(line: InvoiceLine, fields: readonly LineField[], index: number): void {
  const other = fields.find((field) => !TEXTS.has(field));
  if (line.kind === 'correction' && other !== undefined) {
    const what = other === 'period' ? 'service_period' : `rate_card.${FIELD_OF_CARD[other] ?? other}`;
    throw invoiceProblem('invoice_line_cannot_change', `the ${other} of a correction`, {
      field: `lines.${index}.${what}`,
    });
  }
  if (line.splitPosition !== 'single' && fields.includes('period')) {
    throw invoiceProblem('invoice_line_cannot_change', 'the service period of a part of a longer period', {
      field: `lines.${index}.service_period`,
    });
  }
}

const FIELD_OF_CARD: Partial<Record<LineField, string>> = { tax: 'tax_config', feature: 'feature_key' };

function overridesOf(
  line: InvoiceLine,
  terms: PricingTerms,
  servicePeriod: InvoiceLine['servicePeriod'],
  fields: readonly LineField[],
): LineOverrides {
  const before = line.overrides;
  const all = [...new Set([...(before?.fields ?? []), ...fields])];
  const { price } = terms;
  const isNew = fields.includes('price') || fields.includes('period');
  const amount = all.includes('price') ? feeOf(price) : undefined;
  const fee = amount === undefined ? undefined : { amount, for: servicePeriod };
  const wasMetered = chargesUsage(line.terms.price) || before?.isMetered === true;
  return {
    fields: all,
    ...(fee !== undefined && { fee: isNew ? fee : (before?.fee ?? fee) }),
    ...(wasMetered && !chargesUsage(terms.price) && { isMetered: true as const }),
  };
}

function taxOf({ rate_card }: UpdateLine): Pick<InvoiceLine, 'taxConfig'> {
  const { tax_config } = rate_card;
  if (tax_config === undefined) return {};
  return { taxConfig: { ...defined({ behavior: tax_config.behavior }), taxCodeId: tax_config.code.id } };
}

/** A line of its own, with what it is charged for: so it is listed and corrected as all others are. */
export async function addLine(
  deps: InvoicesDeps,
  scope: CustomerScope,
  invoice: Invoice,
  position: number,
  wanted: UpdateLine,
  index: number,
): Promise<{ line: InvoiceLine; charge: Charge }> {
  const terms = checkedTerms(wanted, undefined, index);
  const servicePeriod = readPeriod(wanted, index);
  const content = {
    name: wanted.name,
    ...defined({ description: wanted.description, labels: wanted.labels }),
    ...(await featureOf(deps, scope, wanted, terms, index)),
    ...taxOf(wanted),
    terms,
    servicePeriod,
    fullServicePeriod: servicePeriod,
    invoiceAtMs: servicePeriod.toMs,
  };
  const chargeId = scope.newId();
  const draft: LineDraft = {
    ...content,
    kind: 'charge',
    chargeId,
    controller: 'manual',
    splitPosition: 'single',
  };
  const tax = taxDefaultsOf(invoice.workflow.tax, await deps.invoicingTaxCode(scope));
  const nowMs = scope.clock.nowMs();
  const charge: Charge = {
    ...content,
    id: chargeId,
    customerId: invoice.customerId,
    currency: invoice.currency,
    controller: 'manual',
    state: 'billed',
    billedToMs: servicePeriod.toMs,
    billingPeriod: servicePeriod,
    settlementMode: 'credit_then_invoice',
    prorationMode: 'no_proration',
    ...defined({ amount: fixedAmountOf(terms.price) }),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  return { line: newLine(scope, draft, { invoiceId: invoice.id, position }, tax), charge };
}

/** The price that is asked for, with what of the old terms an edit does not touch. */
function checkedTerms(wanted: UpdateLine, old: PricingTerms | undefined, index: number): PricingTerms {
  const { price, discounts } = wanted.rate_card;
  const isUsage = chargesUsage(price);
  const isSameKind = old !== undefined && chargesUsage(old.price) === isUsage;
  const kept = isUsage ? defined({ unit_config: old?.unit_config, commitments: old?.commitments }) : {};
  const terms: PricingTerms = {
    price,
    ...kept,
    ...(isSameKind && old.payment_term !== undefined && { payment_term: old.payment_term }),
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
    throw chargeProblem('charge_period_invalid', undefined, { field: `lines.${index}.service_period` });
  return { fromMs, toMs };
}

async function featureOf(
  deps: InvoicesDeps,
  scope: CustomerScope,
  { rate_card }: UpdateLine,
  terms: PricingTerms,
  index: number,
  before?: string,
): Promise<Pick<InvoiceLine, 'featureId' | 'featureKey'>> {
  const isUsage = chargesUsage(terms.price);
  const key = rate_card.feature_key ?? (isUsage ? before : undefined);
  const feature = key === undefined ? undefined : (await deps.findFeaturesByKey([key], scope)).get(key);
  if ((isUsage && feature?.meter === undefined) || (key !== undefined && feature === undefined)) {
    throw invoiceProblem('invoice_line_needs_feature', key ?? 'none is given', {
      field: `lines.${index}.rate_card.feature_key`,
    });
  }
  return feature === undefined ? {} : { featureId: feature.id, featureKey: feature.key };
}
