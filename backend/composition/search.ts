import { CUSTOMERS_SEARCHED, type Customers } from '../modules/customers/index.ts';
import { FEATURES_SEARCHED } from '../modules/features/index.ts';
import { INVOICES_SEARCHED } from '../modules/invoices/index.ts';
import { METERS_SEARCHED } from '../modules/meters/index.ts';
import { versionsSearched } from '../modules/product-catalog/index.ts';
import { createSearchService, searchRoutes } from '../modules/search/index.ts';
import { SUBSCRIPTIONS_SEARCHED } from '../modules/subscriptions/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { AppParts } from './parts.ts';

/** One search over what each module says of its own. */
export function searchOperation(router: Router, { db, usage }: AppParts, customers: Customers): void {
  const tables = {
    customer: CUSTOMERS_SEARCHED,
    subscription: SUBSCRIPTIONS_SEARCHED,
    invoice: INVOICES_SEARCHED,
    plan: versionsSearched('plans'),
    addon: versionsSearched('addons'),
    feature: FEATURES_SEARCHED,
    meter: METERS_SEARCHED,
  };
  searchRoutes(router, createSearchService({ db, usage, customers, tables }));
}
