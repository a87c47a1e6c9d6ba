import type { Router } from '../../platform/http/router.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { previewInvoice } from './preview.ts';
import { previewRoutes } from './routes.ts';
import { simulateInvoice } from './simulate.ts';

/** The invoice that a customer would get: with the usage so far, or with other quantities. Nothing is stored. */
export function invoicePreviewRoutes(router: Router, deps: BillingRunsDeps): void {
  previewRoutes(router, {
    preview: (customerId, currency) => previewInvoice(deps, customerId, { currency }),
    simulate: (customerId, request) => simulateInvoice(deps, customerId, request),
  });
}
