import { externalInvoicingRoutes, legacyExternalInvoicingRoutes } from '../payments/external/index.ts';
import { followInvoice, invoicePaymentRoutes } from '../payments/invoice-payments/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { Billing } from './billing.ts';
import type { Parts } from './parts.ts';

/** Through what invoices are paid. */
export function createPayments({ scope }: Parts, { deps }: Billing) {
  return {
    onInvoice: followInvoice,
    routes: (router: Router) => {
      invoicePaymentRoutes(router, scope, deps);
      externalInvoicingRoutes(router, scope, deps);
    },
    legacyRoutes: (router: Router) => legacyExternalInvoicingRoutes(router, scope, deps),
  };
}

export type Payments = ReturnType<typeof createPayments>;
