/**
 * The invoice in the making: what the next invoice would be with the usage so far. It goes the way of a real invoice but
 * for storing anything, so that the invoice made of the same usage has the same numbers.
 */

import type { Customer } from '../../customers/customers/index.ts';
import { type CustomerScope, customerScope } from '../../customers/test-clocks/index.ts';
import { derivedId } from '../../platform/derived-id.ts';
import { notFound } from '../../platform/errors.ts';
import { smallestOf } from '../../platform/extremes.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import type { Scope } from '../../platform/scope.ts';
import { adjustmentRepository, correctUsageOfCustomer, fitAdjustments, isOwed } from '../adjustments/index.ts';
import { type BillingRunsDeps, syncCustomer } from '../billing-runs/index.ts';
import { type Charge, chargeRepository, currencyOf, dueInstants, upcomingCharges } from '../charges/index.ts';
import { simulateDraws } from '../credits/index.ts';
import {
  gatherLines,
  type InvoiceLine,
  invoiceRepository,
  isMetered,
  readQuantities,
  totalsOf,
  untaxed,
} from '../invoice-records/index.ts';
import {
  adjustmentLine,
  collectedAtMs,
  collectionAtMs,
  draftUntilMs,
  gatherOptions,
  type InvoiceBody,
  invoiceHead,
  type Moving,
  newLine,
  payableOf,
  rateAll,
  readCuts,
  takeQuantities,
  taxDefaultsOf,
  taxRulesOf,
  toInvoiceBody,
  withCreditUses,
  withTotals,
} from '../invoices/index.ts';
import { type AfterDrafts, afterDrafts } from './after-drafts.ts';

export interface PreviewOptions {
  /** Default: the customer's, or that of what is to be billed. */
  currency?: string | undefined;
  /** What-if: quantities by feature key, in the meter's unit, in place of what was used. */
  quantities?: Readonly<Record<string, string>> | undefined;
  /** What-if: lines besides those of charges; they carry their quantities. */
  extraLines?: readonly InvoiceLine[] | undefined;
}

export type PreviewAnswer = InvoiceBody;

/** @throws RequestProblem 404 for an unknown customer @throws DomainProblem 400 for an unknown currency */
export async function previewInvoice(
  deps: BillingRunsDeps,
  root: Scope,
  customerId: string,
  options: PreviewOptions = {},
): Promise<PreviewAnswer> {
  const customer = await deps.findCustomer(customerId, root);
  if (customer === undefined) throw notFound('customer', customerId);
  // Before anything is worked out: what is refused changes nothing.
  if (options.currency !== undefined) await currencyOf(deps, options.currency, root);
  const scope = await customerScope(root, customerId);
  await syncCustomer(deps, scope, customerId);
  await correctUsageOfCustomer(deps, scope, customerId);
  const { currency, charges } = await nextCharges(deps, scope, customer, options.currency);
  const debits = await lastDebits(deps, scope, customer, currency);
  const gathered = debits?.moving ?? (await gather(deps, scope, customer, currency, charges));
  const moving = { ...gathered, lines: [...gathered.lines, ...(options.extraLines ?? [])] };
  const after = debits?.after ?? (await afterDrafts(deps, scope, moving, moving.invoice.collectionAtMs));
  const priced = await price(deps, scope, moving, options.quantities ?? {}, after);
  const { invoice, lines: rated } = await withCredits(deps, scope, await withAdjustments(scope, priced, after), after);
  return toInvoiceBody(invoice, rated, undefined);
}

/** What the next invoice is made of, in the currency that is asked for, or in that of `currencyOfNext`. */
async function nextCharges(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customer: Customer,
  asked: string | undefined,
): Promise<{ currency: string; charges: Charge[] }> {
  const { profile } = await deps.profileOf(customer.id, scope);
  const { alignment } = profile.workflow.collection;
  const upTo = (currency?: string) =>
    upcomingCharges(deps, scope, customer.id, (charges) => {
      const [first] = dueInstants(ofCurrency(charges, currency), Number.MAX_SAFE_INTEGER);
      return first === undefined ? undefined : collectedAtMs(first, alignment);
    });
  if (asked !== undefined) return { currency: asked, charges: ofCurrency(await upTo(asked), asked) };
  const first = await upTo();
  const [owed] = await adjustmentRepository(scope).debitCurrencies(customer.id);
  const currency = currencyOfNext(first, customer) ?? owed ?? DEFAULT_CURRENCY;
  // What falls due first may have another one: then more is to be looked at than up to there.
  const isOnly = first.every((charge) => charge.currency === currency);
  return { currency, charges: isOnly ? first : ofCurrency(await upTo(currency), currency) };
}

function ofCurrency(charges: readonly Charge[], currency: string | undefined): Charge[] {
  return charges.filter((charge) => currency === undefined || charge.currency === currency);
}

/** The invoice of what is to be paid after all, where no other one is to come. See `invoiceLastDebits`. */
async function lastDebits(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customer: Customer,
  currency: string,
): Promise<{ moving: Moving; after: AfterDrafts } | undefined> {
  if (await chargeRepository(scope).hasOpen(customer.id, currency)) return undefined;
  const empty = await gather(deps, scope, customer, currency, []);
  const after = await afterDrafts(deps, scope, empty);
  const { lastAtMs } = after;
  // What begins before the drafts are done takes them along.
  const then = ofCurrency(await upcomingCharges(deps, scope, customer.id, () => lastAtMs), currency);
  if (then.length > 0 || !isOwed(after.pending)) return undefined;
  return { moving: { ...empty, invoice: { ...empty.invoice, collectionAtMs: lastAtMs } }, after };
}

/** The customer's, unless all that falls due next has another one, as what is priced in a custom currency has. */
function currencyOfNext(open: readonly Charge[], customer: Customer): string | undefined {
  const isOwn = open.length === 0 || open.some(({ currency }) => currency === customer.currency);
  return (isOwn ? customer.currency : undefined) ?? open[0]?.currency;
}

/** For a customer that has none and subscribes to nothing: an empty invoice needs one all the same. */
const DEFAULT_CURRENCY = 'USD';

/** The lines of the next invoice, each with an id that stays from preview to preview. */
async function gather(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customer: Customer,
  currency: string,
  charges: readonly Charge[],
): Promise<Moving> {
  const stored = await deps.profileOf(customer.id, scope);
  const { alignment, interval } = stored.profile.workflow.collection;
  const dues = dueInstants(charges, Number.MAX_SAFE_INTEGER).map((atMs) => collectedAtMs(atMs, alignment));
  const cutoffMs = smallestOf(dues);
  const drafts =
    dues.length === 0
      ? []
      : await gatherLines(charges, await gatherOptions(deps, scope, charges, stored, { cutoffMs }));
  const head = await invoiceHead(deps, scope, { customer, stored, currency });
  const gathering = await invoiceRepository(scope).gathering(customer.id, currency);
  const id = gathering?.id ?? derivedId(`gathering/${customer.id}/${currency}`);
  const tax = taxDefaultsOf(head.workflow.tax, await deps.invoicingTaxCode(scope));
  const lines = await mapInSlices(drafts, (draft, position) => {
    const line = newLine(scope, draft, { invoiceId: id, position }, tax);
    return { ...line, id: derivedId(`${draft.chargeId}/${draft.servicePeriod.fromMs}`) };
  });
  const metered = drafts.filter(isMetered).map(({ invoiceAtMs }) => invoiceAtMs);
  const collectAtMs = collectionAtMs(metered, interval) ?? (dues.length === 0 ? undefined : cutoffMs);
  const untilMs = draftUntilMs(scope.clock.nowMs(), collectAtMs, stored.profile.workflow.invoicing);
  return {
    currency: await currencyOf(deps, currency, scope),
    taxes: await taxRulesOf(deps, scope, head),
    invoice: {
      ...head,
      id,
      number: gathering?.number ?? `GATHER-${currency}`,
      ...(gathering !== undefined && { createdAtMs: gathering.createdAtMs }),
      ...(collectAtMs !== undefined && { collectionAtMs: collectAtMs }),
      ...(collectAtMs !== undefined && untilMs !== undefined && { draftUntilMs: untilMs }),
    },
    lines,
  };
}

async function price(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  moving: Moving,
  quantities: Readonly<Record<string, string>>,
  after: AfterDrafts,
): Promise<Moving> {
  const asked = moving.lines.filter((line) => line.quantity === undefined);
  const read = await readQuantities(deps, scope, moving.invoice, asked);
  const values = new Map(read.values);
  for (const line of asked) {
    const given = line.featureKey === undefined ? undefined : quantities[line.featureKey];
    if (given !== undefined && isMetered(line)) values.set(line.id, { value: given });
  }
  const taken = await takeQuantities(scope, moving, { ...read, values }, after.lines);
  let count = 0;
  // The same ids from preview to preview, so that whoever shows them can tell what changed.
  const ids = () => {
    count += 1;
    return derivedId(`${moving.invoice.id}/${count}`);
  };
  return rateAll(taken, ids);
}

/** As an estimate: until the invoice is made, other usage may draw the same credit. */
async function withCredits(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  moving: Moving,
  { payables }: AfterDrafts,
): Promise<Moving> {
  const cuts = await readCuts(deps, scope, moving.currency.code, moving.lines);
  const uses = await simulateDraws(scope, moving.currency, [...payables, await payableOf(scope, moving, cuts)]);
  return withCreditUses(moving, uses, scope.newId);
}

async function withAdjustments(scope: CustomerScope, moving: Moving, { pending }: AfterDrafts): Promise<Moving> {
  const { invoice, lines, currency } = moving;
  const fitted = await fitAdjustments(pending, untaxed(await totalsOf(lines, currency)));
  const nowMs = scope.clock.nowMs();
  const added = fitted.map(({ adjustment, amount }, index) => ({
    ...adjustmentLine(
      { ...adjustment, amount },
      { invoice, position: lines.length + index, nowMs, newId: scope.newId },
    ),
    id: derivedId(`${adjustment.id}/preview`),
  }));
  return withTotals({ ...moving, lines: [...lines, ...added] });
}
