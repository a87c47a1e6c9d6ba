/** Invoices and lines in the shape of the contract. */

import { NO_TOTALS, type PricingTerms, type Totals } from '../../catalog/rating/index.ts';
import { sumOf } from '../../platform/decimal-texts.ts';
import { defined } from '../../platform/defined.ts';
import { derivedId } from '../../platform/derived-id.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { formatInstant } from '../../platform/instant.ts';
import { rawJson } from '../../platform/json.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { TaxRef } from '../charges/index.ts';
import {
  type ExtendedStatus,
  type Facts,
  type Invoice,
  type InvoiceLine,
  isFailed,
  isImmutable,
  nextStatus,
  type ShortStatus,
  type StoredRating,
  statusOf,
  type TotalsBody,
  transition,
} from '../invoice-records/index.ts';
import { dueAfter } from './lifecycle/times.ts';

const instant = (atMs: number | undefined) => (atMs === undefined ? undefined : formatInstant(atMs));

/** @param lines missing in lists; deleted ones are left out @param facts missing for previews, which nothing can be done with */
export async function toInvoiceBody(
  invoice: Invoice,
  lines: readonly InvoiceLine[] | undefined,
  facts: Facts | undefined,
) {
  const living = lines?.filter((line) => line.deletedAtMs === undefined);
  return toBody(invoice, living && (await mapInSlices(living, toLineBody)), facts);
}

/** An invoice in the shape of the contract. */
export type InvoiceBody = ReturnType<typeof toBody>;

function toBody(invoice: Invoice, lines: LineBody[] | undefined, facts: Facts | undefined) {
  const isPreview = facts === undefined;
  const app = { id: invoice.appId };
  const { invoicing, payment } = invoice.workflow;
  return {
    id: invoice.id,
    created_at: formatInstant(invoice.createdAtMs),
    updated_at: formatInstant(invoice.updatedAtMs),
    number: invoice.number,
    currency: invoice.currency,
    supplier: invoice.supplier,
    customer: invoice.customer,
    totals: toTotalsBody(invoice.totals),
    service_period: toTextPeriod(invoice.servicePeriod),
    type: 'standard' as const,
    status: isPreview ? ('draft' as const) : shownStatus(invoice.status),
    status_details: {
      immutable: isPreview ? false : isImmutable(invoice.status),
      failed: isFailed(invoice.status),
      extended_status: isPreview ? 'gathering' : invoice.status,
      available_actions: isPreview ? {} : availableActions(invoice.status, facts),
    },
    workflow: {
      apps: { tax: app, invoicing: app, payment: app },
      source_billing_profile: { id: invoice.profileId },
      workflow: {
        invoicing: {
          auto_advance: invoicing.auto_advance,
          draft_period: invoicing.draft_period,
          due_after: dueAfter(payment),
        },
        payment,
      },
    },
    ...defined({
      description: invoice.description,
      labels: invoice.labels,
      deleted_at: instant(invoice.deletedAtMs),
      validation_issues: invoice.issues.length > 0 ? invoice.issues : undefined,
      external_references: referencesOf(invoice),
      issued_at: instant(invoice.issuedAtMs),
      draft_until: instant(invoice.draftUntilMs),
      quantity_snapshotted_at: instant(invoice.snapshottedAtMs),
      collection_at: instant(invoice.collectionAtMs),
      due_at: instant(invoice.dueAtMs),
      sent_to_customer_at: instant(invoice.sentToCustomerAtMs),
      lines,
    }),
  };
}

/** Deletion has no status in the contract: until it is through the invoice is shown as the draft that it was. */
function shownStatus(status: ExtendedStatus): Exclude<ShortStatus, 'delete' | 'deleted'> {
  const short = statusOf(status);
  return short === 'delete' || short === 'deleted' ? 'draft' : short;
}

function referencesOf(invoice: Invoice) {
  const references = defined({ invoicing_id: invoice.externalInvoicingId, payment_id: invoice.externalPaymentId });
  return Object.keys(references).length > 0 ? references : undefined;
}

/** What somebody can do with the invoice now, and the state that it leads to at once. */
function availableActions(status: ExtendedStatus, facts: Facts) {
  const action = (state: ExtendedStatus | undefined) => (state === undefined ? undefined : { resulting_state: state });
  return defined({
    advance: action(nextStatus(status, facts)),
    approve: action(transition(status, 'approve')),
    delete: action(transition(status, 'delete') === undefined ? undefined : 'deleted'),
    retry: action(transition(status, 'retry')),
    snapshot_quantities: action(transition(status, 'snapshot_quantities')),
  });
}

export function toTotalsBody(totals: Totals): TotalsBody {
  return {
    amount: totals.amount,
    taxes_total: totals.taxesTotal,
    taxes_inclusive_total: totals.taxesInclusiveTotal,
    taxes_exclusive_total: totals.taxesExclusiveTotal,
    charges_total: totals.chargesTotal,
    discounts_total: totals.discountsTotal,
    credits_total: totals.creditsTotal,
    total: totals.total,
  };
}

export type LineBody = ReturnType<typeof toLineBody>;

export function toLineBody(line: InvoiceLine) {
  const { subscription, rated } = line;
  return {
    id: line.id,
    name: line.name,
    created_at: formatInstant(line.createdAtMs),
    updated_at: formatInstant(line.updatedAtMs),
    type: 'standard_line' as const,
    lifecycle_controller: line.controller,
    service_period: toTextPeriod(line.servicePeriod),
    totals: toTotalsBody(rated?.totals ?? NO_TOTALS),
    rate_card: toRateCardBody(line),
    detailed_lines: (rated?.detailedLines ?? []).map((detail) => toDetailBody(detail, line)),
    ...defined({
      description: line.description,
      labels: line.labels,
      deleted_at: instant(line.deletedAtMs),
      discounts: lineDiscounts(line),
      credits_applied: lineCredits(line),
      external_references: line.externalId === undefined ? undefined : { invoicing_id: line.externalId },
      subscription: subscription && {
        id: subscription.id,
        phase: { id: subscription.phaseId, item: { id: subscription.itemId } },
      },
      usage_quantity_detail: quantityDetail(line),
      charge: line.chargeId === undefined ? undefined : { id: line.chargeId },
    }),
  };
}

function toRateCardBody({ terms, taxConfig, featureKey }: InvoiceLine) {
  return {
    price: terms.price,
    ...defined({
      feature_key: featureKey,
      unit_config: terms.unit_config,
      discounts: toDiscountsBody(terms.discounts),
      tax_config: toTaxBody(taxConfig),
    }),
  };
}

function toTaxBody(tax: TaxRef | undefined) {
  if (tax?.taxCodeId === undefined) return undefined;
  return { ...defined({ behavior: tax.behavior }), code: { id: tax.taxCodeId } };
}

export function toDiscountsBody(discounts: PricingTerms['discounts']) {
  if (discounts === undefined || discounts === null) return undefined;
  const { percentage, usage } = discounts;
  return defined({ percentage: percentage === undefined ? undefined : rawJson(String(percentage)), usage });
}

function quantityDetail({ terms, rated }: InvoiceLine) {
  if (terms.unit_config === undefined || terms.unit_config === null || rated === undefined) return undefined;
  return {
    raw_quantity: rated.rawQuantity,
    invoiced_quantity: rated.invoicedQuantity,
    ...defined({ display_unit: rated.displayUnit }),
  };
}

function lineDiscounts({ id, rated }: InvoiceLine) {
  const usage = rated?.usageDiscount;
  if (usage === undefined || usage === null) return undefined;
  return { usage: [{ id: derivedId(`${id}/usage`), reason: usage.reason, quantity: usage.quantity }] };
}

/** What each grant pays of the line. */
function lineCredits({ rated }: InvoiceLine) {
  const sums = new Map<string, { amount: string; description?: string }>();
  for (const { id = '', amount, description } of (rated?.detailedLines ?? []).flatMap((one) => one.creditsApplied)) {
    const sum = sumOf([amount, sums.get(id)?.amount ?? '0']);
    sums.set(id, { amount: sum, ...defined({ description }) });
  }
  return sums.size === 0 ? undefined : [...sums.values()];
}

function toDetailBody(detail: StoredRating['detailedLines'][number], line: InvoiceLine) {
  const { discounts, creditsApplied } = detail;
  return {
    id: detail.id,
    name: detail.name,
    created_at: formatInstant(line.createdAtMs),
    updated_at: formatInstant(line.updatedAtMs),
    service_period: detail.servicePeriod ?? toTextPeriod(line.servicePeriod),
    totals: toTotalsBody(detail.totals),
    category: detail.category,
    quantity: detail.quantity,
    unit_price: detail.unitPrice,
    ...(discounts.length > 0 && {
      discounts: {
        amount: discounts.map(({ reason, amount, childUniqueReferenceId }) => ({
          id: derivedId(`${detail.id}/${childUniqueReferenceId}`),
          reason,
          amount,
        })),
      },
    }),
    ...(creditsApplied.length > 0 && {
      credits_applied: creditsApplied.map(({ amount, description }) => ({ amount, ...defined({ description }) })),
    }),
    ...(detail.externalId !== undefined && { external_references: { invoicing_id: detail.externalId } }),
  };
}
