import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { previewInvoice } from './preview.ts';
import { previewRoutes } from './routes.ts';
import { simulateInvoice } from './simulate.ts';

/** The invoice that a customer would get: with the usage so far, or with other quantities. Nothing is stored. */
export function invoicePreviewRoutes(router: Router, scope: Scope, deps: BillingRunsDeps): void {
  previewRoutes(router, {
    preview: (customerId, currency) => previewInvoice(deps, scope, customerId, { currency }),
    simulate: (customerId, request) => simulateInvoice(deps, scope, customerId, request),
  });
}
