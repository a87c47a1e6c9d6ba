/** Payments and the timeline follow what becomes of an invoice, inside the transaction that stores it. */
import type { Invoice } from '../../billing/invoice-records/index.ts';
import type { InvoiceChange } from '../../billing/invoices/index.ts';
import { Decimal, formatDecimal, sumDecimals } from '../../platform/decimal.ts';
import type { Scope } from '../../platform/scope.ts';
import { paymentRepository } from './repository.ts';

/**
 * Notes the status that an invoice has come to. One that is paid has payments that add up to its total: what nobody has
 * recorded was paid through its app.
 */
export async function followInvoice({ invoice, previous }: InvoiceChange, scope: Scope): Promise<void> {
  if (previous?.status === invoice.status) return;
  const payments = paymentRepository(scope);
  const atMs = scope.clock.nowMs();
  const { id: invoiceId, status } = invoice;
  if (status === 'paid') await addTheRest(invoice, scope, atMs);
  await payments.insertEvent({ id: scope.newId(), invoiceId, kind: 'status', text: statusText(status), status, atMs });
}

async function addTheRest(invoice: Invoice, scope: Scope, atMs: number): Promise<void> {
  const payments = paymentRepository(scope);
  const rest = new Decimal(invoice.totals.total).sub(sumDecimals(await payments.amounts(invoice.id, 'succeeded')));
  if (rest.lte(0)) return;
  await payments.insert({
    id: scope.newId(),
    invoiceId: invoice.id,
    appId: invoice.appId,
    ...(invoice.externalPaymentId !== undefined && { externalId: invoice.externalPaymentId }),
    amount: formatDecimal(rest),
    currency: invoice.currency,
    state: 'succeeded',
    method: invoice.appType === 'sandbox' ? 'sandbox' : 'reported',
    paidAtMs: atMs,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  });
}

/** "payment_processing.action_required" → "Payment processing: action required". */
function statusText(status: string): string {
  const text = status.replace('.', ': ').replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
