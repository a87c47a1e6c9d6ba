import type { InvoicesDeps } from '../../billing/invoices/index.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { legacyExternalInvoicingRoutes as legacyRoutes } from './legacy-routes.ts';
import { externalInvoicingRoutes as routes } from './routes.ts';
import { createExternalInvoicing } from './service.ts';

export { externalRail } from './rail.ts';

/** What a system reports that issues invoices in place of this one. */
export function externalInvoicingRoutes(router: Router, scope: Scope, deps: InvoicesDeps): void {
  routes(router, createExternalInvoicing(scope, deps));
}

/** What the v1 API calls custom invoicing. */
export function legacyExternalInvoicingRoutes(router: Router, scope: Scope, deps: InvoicesDeps): void {
  legacyRoutes(router, createExternalInvoicing(scope, deps));
}
