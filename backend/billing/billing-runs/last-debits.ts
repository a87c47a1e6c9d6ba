/**
 * What is to be paid after all goes on the next invoice. Where none is to come by itself, as of a customer who has left, it
 * has one of its own.
 */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { adjustmentRepository } from '../adjustments/index.ts';
import { chargeRepository } from '../charges/index.ts';
import { type Invoice, invoiceRepository } from '../invoice-records/index.ts';
import { createInvoice, moveInvoice } from '../invoices/index.ts';
import type { BillingRunsDeps } from './deps.ts';

/** Makes the customer's invoices of what is to be paid where nothing else is to come. They go as far as they can at once. */
export async function invoiceLastDebits(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customerId: string,
): Promise<Invoice[]> {
  const made: Invoice[] = [];
  for (const currency of await adjustmentRepository(scope).debitCurrencies(customerId)) {
    const invoice = await scope.transaction(async (scope) => {
      if (await isMoreToCome(scope, customerId, currency)) return undefined;
      return createInvoice(deps, scope, { customerId, currency, cutoffMs: scope.clock.nowMs() });
    });
    if (invoice !== undefined) made.push(await moveInvoice(deps, scope, invoice.id));
  }
  return made;
}

/** Charges that fall due some day, or drafts that may still take adjustments or bring some. */
async function isMoreToCome(scope: CustomerScope, customerId: string, currency: string): Promise<boolean> {
  if (await chargeRepository(scope).hasOpen(customerId, currency)) return true;
  return (await invoiceRepository(scope).movingDrafts(customerId, currency)).length > 0;
}
