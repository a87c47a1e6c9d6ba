import type { Router } from '../../platform/http/router.ts';
import type { InvoicesDeps } from '../invoices/index.ts';
import { legacyExternalInvoicingRoutes as legacyRoutes } from './legacy-routes.ts';
import { externalInvoicingRoutes as routes } from './routes.ts';
import { createExternalInvoicing } from './service.ts';

/** What a system reports that issues invoices in place of this one. */
export function externalInvoicingRoutes(router: Router, deps: InvoicesDeps): void {
  routes(router, createExternalInvoicing(deps));
}

/** What the v1 API calls custom invoicing. */
export function legacyExternalInvoicingRoutes(router: Router, deps: InvoicesDeps): void {
  legacyRoutes(router, createExternalInvoicing(deps));
}
