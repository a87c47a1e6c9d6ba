/**
 * What is to be paid after all goes on the next invoice. Where none is to come by itself, as of a customer who has left, it
 * has one of its own.
 */
import type { ControlDb } from '../../platform/db/control-db.ts';
import { chargeRepository } from './charges/repository.ts';
import { correctionRepository } from './corrections/repository.ts';
import { createInvoice } from './create-invoice.ts';
import type { InvoicesDeps } from './deps.ts';
import { moveInvoice } from './lifecycle/advance.ts';
import { invoiceRepository } from './repository.ts';
import type { Invoice } from './types.ts';

/** Makes the customer's invoices of what is to be paid where nothing else is to come. They go as far as they can at once. */
export async function invoiceLastDebits(deps: InvoicesDeps, customerId: string): Promise<Invoice[]> {
  const made: Invoice[] = [];
  for (const currency of await correctionRepository(deps.db).debitCurrencies(customerId)) {
    const invoice = await deps.db.transaction(async (trx) => {
      if (await isMoreToCome(trx, customerId, currency)) return undefined;
      return createInvoice(deps, trx, { customerId, currency, cutoffMs: deps.clock.nowMs() });
    });
    if (invoice !== undefined) made.push(await moveInvoice(deps, invoice.id));
  }
  return made;
}

/** Charges that fall due some day, or drafts that may still take corrections or bring some. */
async function isMoreToCome(db: ControlDb, customerId: string, currency: string): Promise<boolean> {
  if (await chargeRepository(db).hasOpen(customerId, currency)) return true;
  return (await invoiceRepository(db).movingDrafts(customerId, currency)).length > 0;
}
