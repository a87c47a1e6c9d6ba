/** Puts what is due on a new invoice. One transaction: charges that are on an invoice are never found open again. */

import { NO_TOTALS } from '../../catalog/rating/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { largestOf, smallestOf } from '../../platform/extremes.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { correctionRepository, isOwed } from '../adjustments/index.ts';
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
} from '../invoice-records/index.ts';
import type { InvoicesDeps } from './deps.ts';
import { type TaxDefaults, taxDefaultsOf, withTaxDefaults } from './lifecycle/tax.ts';
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
  trx: ControlDb,
  options: CreateOptions,
): Promise<Invoice | undefined> {
  const { customerId, currency } = options;
  const open = await chargeRepository(trx).open(customerId, currency);
  const stored = await deps.profileOf(customerId, trx);
  const asked = options.chargeIds && new Set(options.chargeIds);
  const charges = asked === undefined ? open : open.filter(({ id }) => asked.has(id));
  const drafts = await gatherLines(charges, await gatherOptions(deps, trx, charges, stored, options));
  const customer = await deps.findCustomer(customerId, trx);
  if (customer === undefined || (drafts.length === 0 && !(await isAnythingOwed(trx, options)))) return undefined;
  const invoice = await newInvoice(deps, trx, { customer, stored, currency, drafts });
  const tax = taxDefaultsOf(invoice.workflow.tax, await deps.invoicingTaxCode(trx));
  const lines = await mapInSlices(drafts, (draft, position) =>
    newLine(deps, draft, { invoiceId: invoice.id, position }, tax),
  );
  await invoiceRepository(trx).insert(invoice, deps.clock.nowMs());
  await lineRepository(trx).insert(lines);
  await markBilled(trx, charges, drafts, deps.clock.nowMs());
  await followGathering(deps, trx, customer, currency);
  return invoice;
}

/** Corrections are put on the invoice when its quantities are taken. */
async function isAnythingOwed(trx: ControlDb, { customerId, currency, chargeIds }: CreateOptions): Promise<boolean> {
  return chargeIds === undefined && isOwed(await correctionRepository(trx).pending(customerId, currency));
}

export async function gatherOptions(
  deps: InvoicesDeps,
  db: ControlDb,
  charges: readonly Charge[],
  stored: StoredProfile,
  options: Pick<CreateOptions, 'cutoffMs' | 'isProgressive'>,
): Promise<GatherOptions> {
  const aggregations = await aggregationsOf(deps, charges, db);
  return {
    cutoffMs: options.cutoffMs,
    isProgressive: options.isProgressive ?? stored.profile.workflow.invoicing.progressive_billing,
    aggregationOf: ({ featureId }) => (featureId === undefined ? undefined : aggregations.get(featureId)),
  };
}

async function newInvoice(
  deps: InvoicesDeps,
  trx: ControlDb,
  parts: { customer: Customer; stored: StoredProfile; currency: string; drafts: readonly LineDraft[] },
): Promise<Invoice> {
  const { customer, drafts } = parts;
  const count = await invoiceRepository(trx).nextNumber('invoices/draft');
  return {
    ...(await invoiceHead(deps, trx, parts)),
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
  db: ControlDb,
  parts: { customer: Customer; stored: StoredProfile; currency: string },
): Promise<Invoice> {
  const { customer, stored, currency } = parts;
  const { profile } = stored;
  const app = await deps.findApp(profile.apps.invoicing.id, db);
  if (app === undefined)
    throw new Error(`billing profile ${profile.id} names app ${profile.apps.invoicing.id}: not found`);
  const nowMs = deps.clock.nowMs();
  const { key: _, ...supplier } = profile.supplier;
  const { id, key, name, usage_attribution, billing_address } = customer;
  return {
    id: deps.newId(),
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
  deps: Pick<InvoicesDeps, 'newId' | 'clock'>,
  draft: LineDraft,
  place: { invoiceId: string; position: number },
  tax: TaxDefaults | undefined,
): InvoiceLine {
  const nowMs = deps.clock.nowMs();
  return {
    ...withTaxDefaults(draft, tax),
    ...place,
    id: deps.newId(),
    previousQuantity: '0',
    previouslyBilledAmount: '0',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

async function markBilled(
  trx: ControlDb,
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
  await chargeRepository(trx).setStates(progress, atMs);
}

/** The invoice in the making exists while the customer has open charges in the currency. */
export async function followGathering(
  deps: InvoicesDeps,
  trx: ControlDb,
  customer: Pick<Customer, 'id' | 'name'>,
  currency: string,
): Promise<void> {
  const invoices = invoiceRepository(trx);
  const hasOpen = await chargeRepository(trx).hasOpen(customer.id, currency);
  const gathering = await invoices.gathering(customer.id, currency);
  if (!hasOpen && gathering !== undefined) await invoices.deleteGathering(customer.id, currency);
  if (hasOpen && gathering === undefined) {
    const number = gatheringNumber(customer.name, currency, await invoices.nextNumber('invoices/gathering'));
    const createdAtMs = deps.clock.nowMs();
    await invoices.insertGathering({ id: deps.newId(), customerId: customer.id, currency, number, createdAtMs });
  }
}
