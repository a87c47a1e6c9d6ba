/** Puts what is due on a new invoice. One transaction: charges that are on an invoice are never found open again. */

import { NO_TOTALS } from '../../catalog/rating/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { largestOf, smallestOf } from '../../platform/extremes.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { adjustmentRepository, isOwed } from '../adjustments/index.ts';
import type { StoredProfile } from '../billing-profiles/index.ts';
import { type Charge, chargeRepository } from '../charges/index.ts';
import {
  aggregationsOf,
  draftNumber,
  type GatherOptions,
  gatheringNumber,
  gatherLines,
  type Invoice,
  type InvoiceLine,
  invoiceRepository,
  isMetered,
  type LineDraft,
  lineRepository,
  nextNumber,
} from '../invoice-records/index.ts';
import { creditPurchasesFollow } from './credit-purchases.ts';
import type { InvoicesDeps } from './deps.ts';
import { type TaxDefaults, taxDefaultsOf, withTaxDefaults } from './lifecycle/tax-defaults.ts';
import { collectionAtMs } from './lifecycle/times.ts';

export interface CreateOptions {
  customerId: string;
  currency: string;
  /** What falls due up to here, this instant included. */
  cutoffMs: number;
  /** undefined: as the profile says. */
  isProgressive?: boolean | undefined;
  /** Only these charges, whether they are due or not. */
  chargeIds?: readonly string[] | undefined;
}

/** @returns undefined when nothing is due, and nothing is to be paid of what was billed before */
export async function createInvoice(
  deps: InvoicesDeps,
  scope: CustomerScope,
  options: CreateOptions,
): Promise<Invoice | undefined> {
  const { customerId, currency } = options;
  const open = await chargeRepository(scope).open(customerId, currency);
  const stored = await deps.profileOf(customerId, scope);
  const asked = options.chargeIds && new Set(options.chargeIds);
  const charges = asked === undefined ? open : open.filter(({ id }) => asked.has(id));
  const drafts = await gatherLines(charges, await gatherOptions(deps, scope, charges, stored, options));
  const customer = await deps.findCustomer(customerId, scope);
  if (customer === undefined || (drafts.length === 0 && !(await isAnythingOwed(scope, options)))) return undefined;
  const invoice = await newInvoice(deps, scope, { customer, stored, currency, drafts });
  const tax = taxDefaultsOf(invoice.workflow.tax, await deps.invoicingTaxCode(scope));
  const lines = await mapInSlices(drafts, (draft, position) =>
    newLine(scope, draft, { invoiceId: invoice.id, position }, tax),
  );
  await invoiceRepository(scope).insert(invoice, scope.clock.nowMs());
  await lineRepository(scope).insert(lines);
  await markBilled(scope, charges, drafts, scope.clock.nowMs());
  await creditPurchasesFollow(deps, scope, undefined, { invoice, lines });
  await followGathering(scope, customer, currency);
  await deps.onInvoice({ invoice, lines, previous: undefined }, scope);
  return invoice;
}

/** Adjustments are put on the invoice when its quantities are taken. */
async function isAnythingOwed(
  scope: CustomerScope,
  { customerId, currency, chargeIds }: CreateOptions,
): Promise<boolean> {
  return chargeIds === undefined && isOwed(await adjustmentRepository(scope).pending(customerId, currency));
}

export async function gatherOptions(
  deps: InvoicesDeps,
  scope: CustomerScope,
  charges: readonly Charge[],
  stored: StoredProfile,
  options: Pick<CreateOptions, 'cutoffMs' | 'isProgressive'>,
): Promise<GatherOptions> {
  const aggregations = await aggregationsOf(deps, charges, scope);
  return {
    cutoffMs: options.cutoffMs,
    isProgressive: options.isProgressive ?? stored.profile.workflow.invoicing.progressive_billing,
    aggregationOf: ({ featureId }) => (featureId === undefined ? undefined : aggregations.get(featureId)),
  };
}

async function newInvoice(
  deps: InvoicesDeps,
  scope: CustomerScope,
  parts: { customer: Customer; stored: StoredProfile; currency: string; drafts: readonly LineDraft[] },
): Promise<Invoice> {
  const { customer, drafts } = parts;
  const count = await nextNumber(scope, 'invoices/draft');
  return {
    ...(await invoiceHead(deps, scope, parts)),
    number: draftNumber(customer.name, count),
    ...(drafts.length > 0 && {
      servicePeriod: {
        fromMs: smallestOf(drafts.map((draft) => draft.servicePeriod.fromMs)),
        toMs: largestOf(drafts.map((draft) => draft.servicePeriod.toMs)),
      },
    }),
    ...collection(drafts, parts.stored),
  };
}

function collection(drafts: readonly LineDraft[], { profile }: StoredProfile): Pick<Invoice, 'collectionAtMs'> {
  const metered = drafts.filter(isMetered).map(({ invoiceAtMs }) => invoiceAtMs);
  const atMs = collectionAtMs(metered, profile.workflow.collection.interval);
  return atMs === undefined ? {} : { collectionAtMs: atMs };
}

/** What an invoice copies when it is made: later changes of customer or profile do not touch it. */
export async function invoiceHead(
  deps: InvoicesDeps,
  scope: CustomerScope,
  parts: { customer: Customer; stored: StoredProfile; currency: string },
): Promise<Invoice> {
  const { customer, stored, currency } = parts;
  const { profile } = stored;
  const app = await deps.findApp(profile.apps.invoicing.id, scope);
  if (app === undefined)
    throw new Error(`billing profile ${profile.id} names app ${profile.apps.invoicing.id}: not found`);
  const nowMs = scope.clock.nowMs();
  const { key: _, ...supplier } = profile.supplier;
  const { id, key, name, usage_attribution, billing_address } = customer;
  return {
    id: scope.newId(),
    customerId: id,
    currency,
    number: '',
    status: 'draft.created',
    version: 1,
    profileId: profile.id,
    appId: app.id,
    appType: app.type,
    supplier,
    customer: {
      id,
      key,
      name,
      ...(usage_attribution !== undefined && { usage_attribution }),
      ...(billing_address !== undefined && { billing_address }),
    },
    workflow: profile.workflow,
    adjustments: stored.adjustments,
    ...(customer.labels !== undefined && { labels: customer.labels }),
    metadata: {},
    totals: NO_TOTALS,
    servicePeriod: { fromMs: nowMs, toMs: nowMs },
    issues: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

export function newLine(
  scope: CustomerScope,
  draft: LineDraft,
  place: { invoiceId: string; position: number },
  tax: TaxDefaults | undefined,
): InvoiceLine {
  const nowMs = scope.clock.nowMs();
  return {
    ...withTaxDefaults(draft, tax),
    ...place,
    id: scope.newId(),
    previousQuantity: '0',
    previouslyBilledAmount: '0',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

async function markBilled(
  scope: CustomerScope,
  charges: readonly Charge[],
  drafts: readonly LineDraft[],
  atMs: number,
): Promise<void> {
  const byId = new Map(charges.map((charge) => [charge.id, charge]));
  const progress = drafts.flatMap(({ chargeId = '', servicePeriod }) => {
    const charge = byId.get(chargeId);
    if (charge === undefined) return [];
    const billedToMs = servicePeriod.toMs;
    const state = billedToMs >= charge.servicePeriod.toMs ? ('billed' as const) : ('open' as const);
    return [{ id: charge.id, state, billedToMs }];
  });
  await chargeRepository(scope).setStates(progress, atMs);
}

/** The invoice in the making exists while the customer has open charges in the currency. */
export async function followGathering(
  scope: CustomerScope,
  customer: Pick<Customer, 'id' | 'name'>,
  currency: string,
): Promise<void> {
  const invoices = invoiceRepository(scope);
  const hasOpen = await chargeRepository(scope).hasOpen(customer.id, currency);
  const gathering = await invoices.gathering(customer.id, currency);
  if (!hasOpen && gathering !== undefined) await invoices.deleteGathering(customer.id, currency);
  if (hasOpen && gathering === undefined) {
    const number = gatheringNumber(customer.name, currency, await nextNumber(scope, 'invoices/gathering'));
    const createdAtMs = scope.clock.nowMs();
    await invoices.insertGathering({ id: scope.newId(), customerId: customer.id, currency, number, createdAtMs });
  }
}
