/** Invoices without waiting for what falls due. */
import { customerScope } from '../../customers/test-clocks/index.ts';
import { notFound } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { adjustmentRepository } from '../adjustments/index.ts';
import { chargeRepository, isOpen } from '../charges/index.ts';
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
export async function invoiceNow(deps: BillingRunsDeps, root: Scope, request: InvoiceNowRequest): Promise<Invoice[]> {
  const { customerId, chargeIds, isProgressive } = request;
  if ((await deps.findCustomer(customerId, root)) === undefined) throw notFound('customer', customerId);
  const scope = await customerScope(root, customerId);
  await syncCustomer(deps, scope, customerId);
  const cutoffMs = Math.min(request.asOfMs ?? scope.clock.nowMs(), scope.clock.nowMs());
  const created = await scope.transaction(async (scope) => {
    const open = (await chargeRepository(scope).open(customerId)).filter(isOpen);
    const made: Invoice[] = [];
    const owed = await adjustmentRepository(scope).debitCurrencies(customerId);
    for (const currency of new Set([...open.map((charge) => charge.currency), ...owed])) {
      const invoice = await createInvoice(deps, scope, { customerId, currency, cutoffMs, isProgressive, chargeIds });
      if (invoice !== undefined) made.push(invoice);
    }
    if (made.length === 0) throw invoiceProblem('invoice_create_no_lines');
    return made;
  });
  const invoices: Invoice[] = [];
  for (const { id } of created) invoices.push(await moveInvoice(deps, scope, id));
  return invoices;
}
