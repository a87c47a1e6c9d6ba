import type { Router } from '../../platform/http/router.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { chargeRoutes } from './routes.ts';
import { createChargesService } from './service.ts';

/** What a customer is charged for, over the API: by subscriptions, or by hand. */
export function customerChargeRoutes(router: Router, deps: BillingRunsDeps): void {
  chargeRoutes(router, createChargesService(deps));
}
