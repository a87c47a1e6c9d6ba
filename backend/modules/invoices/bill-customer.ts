/** Everything that is to be done for one customer now: charges, invoices, and what follows of them. */

import { dueInstants, isOpen } from './charges/gather.ts';
import { chargeRepository } from './charges/repository.ts';
import { billingSubscriptionRepository } from './charges/subscriptions/repository.ts';
import { syncSubscription } from './charges/sync.ts';
import { createInvoice } from './create-invoice.ts';
import { atCustomersTime } from './customer-time.ts';
import type { InvoicesDeps } from './deps.ts';
import { moveInvoice } from './lifecycle/advance.ts';
import { collectedAtMs } from './lifecycle/times.ts';
import type { Invoice } from './types.ts';

/** Works out the charges of the customer's subscriptions. @param all also those that are not due to be looked at */
export async function syncCustomer(anyDeps: InvoicesDeps, customerId: string, all = false): Promise<void> {
  const deps = await atCustomersTime(anyDeps, customerId);
  const schedule = billingSubscriptionRepository(deps.db);
  const ids = all
    ? await schedule.ofCustomer(customerId)
    : await schedule.dueOfCustomer(customerId, deps.clock.nowMs());
  if (ids.length === 0) return;
  const drafts = await deps.db.transaction(async (trx) => {
    const draftIds: string[] = [];
    for (const id of ids) {
      const view = await deps.subscriptions.view(id, trx);
      const result = view && (await syncSubscription(deps, trx, view));
      await billingSubscriptionRepository(trx).setSync({ id, customerId }, result?.nextAtMs);
      draftIds.push(...(result?.draftIds ?? []));
    }
    return draftIds;
  });
  for (const id of new Set(drafts)) await moveInvoice(deps, id);
}

/**
 * Makes the invoices that are due, one for each instant at which something falls due: however late this runs, they are
 * the same. They go as far as they can at once.
 */
export async function invoiceCustomer(anyDeps: InvoicesDeps, customerId: string): Promise<Invoice[]> {
  const deps = await atCustomersTime(anyDeps, customerId);
  const made: Invoice[] = [];
  for (;;) {
    const invoice = await deps.db.transaction(async (trx) => {
      const open = (await chargeRepository(trx).open(customerId)).filter(isOpen);
      const { profile } = await deps.profileOf(customerId, trx);
      const { alignment } = profile.workflow.collection;
      const nowMs = deps.clock.nowMs();
      const cutoffs = dueInstants(open, nowMs).map((atMs) => collectedAtMs(atMs, alignment));
      const cutoffMs = Math.min(...cutoffs);
      if (cutoffs.length === 0 || cutoffMs > nowMs) return undefined;
      const due = open.find((charge) => collectedAtMs(charge.invoiceAtMs, alignment) === cutoffMs);
      return due && createInvoice(deps, trx, { customerId, currency: due.currency, cutoffMs });
    });
    if (invoice === undefined) return made;
    made.push(await moveInvoice(deps, invoice.id));
  }
}

/** Charges first, then invoices of them. */
export async function billCustomer(deps: InvoicesDeps, customerId: string): Promise<Invoice[]> {
  await syncCustomer(deps, customerId);
  return invoiceCustomer(deps, customerId);
}
