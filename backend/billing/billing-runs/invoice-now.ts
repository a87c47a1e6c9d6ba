/** Invoices without waiting for what falls due. */
import { notFound } from '../../platform/errors.ts';
import { correctionRepository } from '../adjustments/index.ts';
import { atCustomersTime, chargeRepository, isOpen } from '../charges/index.ts';
import type { Invoice } from '../invoice-records/index.ts';
import { createInvoice, invoiceProblem, moveInvoice } from '../invoices/index.ts';
import { syncCustomer } from './bill-customer.ts';
import type { BillingRunsDeps } from './deps.ts';

export interface InvoiceNowRequest {
  customerId: string;
  /** What falls due up to then; default and latest: now. */
  asOfMs?: number | undefined;
  chargeIds?: readonly string[] | undefined;
  isProgressive?: boolean | undefined;
}

/**
 * One invoice for each currency in which there is something to bill, whatever the alignment.
 * @throws RequestProblem 404 @throws DomainProblem 400 `invoice_create_no_lines`
 */
export async function invoiceNow(anyDeps: BillingRunsDeps, request: InvoiceNowRequest): Promise<Invoice[]> {
  const { customerId, chargeIds, isProgressive } = request;
  if ((await anyDeps.findCustomer(customerId, anyDeps.db)) === undefined) throw notFound('customer', customerId);
  const deps = await atCustomersTime(anyDeps, customerId);
  await syncCustomer(deps, customerId);
  const cutoffMs = Math.min(request.asOfMs ?? deps.clock.nowMs(), deps.clock.nowMs());
  const created = await deps.db.transaction(async (trx) => {
    const open = (await chargeRepository(trx).open(customerId)).filter(isOpen);
    const made: Invoice[] = [];
    const owed = await correctionRepository(trx).debitCurrencies(customerId);
    for (const currency of new Set([...open.map((charge) => charge.currency), ...owed])) {
      const invoice = await createInvoice(deps, trx, { customerId, currency, cutoffMs, isProgressive, chargeIds });
      if (invoice !== undefined) made.push(invoice);
    }
    if (made.length === 0) throw invoiceProblem('invoice_create_no_lines');
    return made;
  });
  const invoices: Invoice[] = [];
  for (const { id } of created) invoices.push(await moveInvoice(deps, id));
  return invoices;
}
