import { INVOICES_SEARCHED } from '../billing/invoice-records/index.ts';
import { FEATURES_SEARCHED } from '../catalog/features/index.ts';
import { versionsSearched } from '../catalog/product-catalog/index.ts';
import { CUSTOMERS_SEARCHED, type Customers } from '../customers/customers/index.ts';
import { SUBSCRIPTIONS_SEARCHED } from '../customers/subscriptions/index.ts';
import { METERS_SEARCHED } from '../metering/meters/index.ts';
import type { Router } from '../platform/http/router.ts';
import { createSearchService, searchRoutes } from '../search/index.ts';
import type { Parts } from './parts.ts';

/** One search over what each module says of its own. */
export function searchOperation(router: Router, { scope, usage }: Parts, customers: Customers): void {
  const tables = {
    customer: CUSTOMERS_SEARCHED,
    subscription: SUBSCRIPTIONS_SEARCHED,
    invoice: INVOICES_SEARCHED,
    plan: versionsSearched('plans'),
    addon: versionsSearched('addons'),
    feature: FEATURES_SEARCHED,
    meter: METERS_SEARCHED,
  };
  searchRoutes(router, createSearchService({ scope, usage, customers, tables }));
}
