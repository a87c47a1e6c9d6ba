import type { InvoicesDeps } from '../../billing/invoices/index.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { paymentRoutes } from './routes.ts';
import { createInvoicePayments } from './service.ts';

export { followInvoice } from './follow-invoice.ts';
export { noteEvent, notePayments, type PaymentThere } from './note.ts';

/** What was paid for an invoice, and what happened to it. */
export function invoicePaymentRoutes(router: Router, scope: Scope, deps: InvoicesDeps): void {
  paymentRoutes(router, createInvoicePayments(scope, deps));
}
