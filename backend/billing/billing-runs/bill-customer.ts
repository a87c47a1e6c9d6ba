/** Everything that is to be done for one customer now: charges, invoices, and what follows of them. */

import { type CustomerScope, customerScope } from '../../customers/test-clocks/index.ts';
import { smallestOf } from '../../platform/extremes.ts';
import type { Scope } from '../../platform/scope.ts';
import { correctUsageOfCustomer, type Recounted } from '../adjustments/index.ts';
import { chargeRepository, dueInstants, isOpen, scheduleRepository } from '../charges/index.ts';
import { type Invoice, invoiceRepository } from '../invoice-records/index.ts';
import { collectedAtMs, createInvoice, moveInvoice } from '../invoices/index.ts';
import type { BillingRunsDeps } from './deps.ts';
import { invoiceLastDebits } from './last-debits.ts';
import { payFromCredits } from './pay-from-credits.ts';
import { removeCharges, syncSubscription } from './sync-charges.ts';

/**
 * Works out the charges of the customer's subscriptions: of those that have changed since, and of those of which more is to
 * come by itself. Which these are is counted and noted, never told from instants: a change must not be lost to a clock that
 * has stepped back. The cost does not grow with history.
 * @returns what could not be counted again; everything else is done
 */
export async function syncCustomer(
  deps: BillingRunsDeps,
  root: Scope,
  customerId: string,
): Promise<Recounted['failed']> {
  const scope = await customerScope(root, customerId);
  const { draftIds, isRecountDue } = await scope.transaction(async (scope) => {
    const { syncedAtMs, recountedAtMs } = await scheduleRepository(scope).last(customerId);
    const { isAny, draftIds } = await syncSubscriptions(deps, scope, customerId);
    const isKnown = isAny || syncedAtMs !== undefined || (await chargeRepository(scope).hasIssued(customerId));
    return { draftIds, isRecountDue: isKnown && isDayAway(recountedAtMs, scope.clock.nowMs()) };
  });
  for (const id of draftIds) await moveInvoice(deps, scope, id);
  if (!isRecountDue) return [];
  await payFromCredits(deps, scope);
  const { failed } = await correctUsageOfCustomer(deps, scope, customerId);
  // Afterwards: a process that is killed on the way leaves it to the next one. So does a charge that could not be counted,
  // and the run tells of it.
  if (failed.length > 0) return failed;
  await scope.transaction((scope) => scheduleRepository(scope).setRecounted(customerId, scope.clock.nowMs()));
  return failed;
}

/** @returns drafts that have to be worked out again, and whether there was anything to look at */
async function syncSubscriptions(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customerId: string,
): Promise<{ draftIds: ReadonlySet<string>; isAny: boolean }> {
  const schedule = scheduleRepository(scope);
  const changes = await deps.subscriptionChanges(customerId, scope);
  const changed = changes.map(({ subscriptionId }) => subscriptionId);
  const ids = [...new Set([...changed, ...(await schedule.openSubscriptions(customerId))])];
  const draftIds = new Set<string>();
  if (ids.length === 0) return { draftIds, isAny: false };
  const views = await deps.findSubscriptions(ids, scope);
  const nextAtMs: number[] = [];
  for (const view of views) {
    const result = await syncSubscription(deps, scope, view);
    if (result.nextAtMs !== undefined) nextAtMs.push(result.nextAtMs);
    await schedule.setOpen(customerId, view.id, result.nextAtMs !== undefined);
    for (const id of result.draftIds) draftIds.add(id);
  }
  const living = new Set(views.map(({ id }) => id));
  for (const id of ids.filter((own) => !living.has(own))) {
    for (const draftId of await removeCharges(deps, scope, { id, customerId })) draftIds.add(draftId);
    await schedule.setOpen(customerId, id, false);
  }
  await schedule.setSynced(customerId, scope.clock.nowMs(), nextAtMs.length === 0 ? undefined : Math.min(...nextAtMs));
  await deps.subscriptionChangesFollowed(changes, scope);
  return { draftIds, isAny: true };
}

/** Usage is looked at again once a day; each invoice looks again as well, before its quantities are taken. */
const RECOUNT_EVERY_MS = 86_400_000;

/** Also from a day ahead: the clock has been there, and has stepped back. */
function isDayAway(atMs: number | undefined, nowMs: number): boolean {
  return atMs === undefined || Math.abs(nowMs - atMs) >= RECOUNT_EVERY_MS;
}

/**
 * Makes the invoices that are due, one for each instant at which something falls due: however late this runs, they are
 * the same. They go as far as they can at once.
 */
export async function invoiceCustomer(deps: BillingRunsDeps, root: Scope, customerId: string): Promise<Invoice[]> {
  const scope = await customerScope(root, customerId);
  // A process that was killed may have left drafts. They come first: what waits for the next invoice goes on the oldest.
  const left = await invoiceRepository(scope).toWakeOf(customerId, scope.clock.nowMs());
  for (const id of left) await moveInvoice(deps, scope, id);
  await payFromCredits(deps, scope);
  const made: Invoice[] = [];
  for (;;) {
    const invoice = await scope.transaction(async (scope) => {
      const nowMs = scope.clock.nowMs();
      const open = (await chargeRepository(scope).open(customerId)).filter(isOpen);
      const { profile } = await deps.profileOf(customerId, scope);
      const { alignment } = profile.workflow.collection;
      const cutoffs = dueInstants(open, nowMs).map((atMs) => collectedAtMs(atMs, alignment));
      const cutoffMs = smallestOf(cutoffs);
      if (cutoffs.length === 0 || cutoffMs > nowMs) return undefined;
      const due = open.find((charge) => collectedAtMs(charge.invoiceAtMs, alignment) === cutoffMs);
      return due && createInvoice(deps, scope, { customerId, currency: due.currency, cutoffMs });
    });
    if (invoice === undefined) return [...made, ...(await invoiceLastDebits(deps, scope, customerId))];
    made.push(await moveInvoice(deps, scope, invoice.id));
  }
}

/** Charges first, then invoices of them. */
export async function billCustomer(deps: BillingRunsDeps, scope: Scope, customerId: string): Promise<Invoice[]> {
  await syncCustomer(deps, scope, customerId);
  return invoiceCustomer(deps, scope, customerId);
}
