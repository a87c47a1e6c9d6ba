import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { chargeRoutes } from './routes.ts';
import { createChargesService } from './service.ts';

/** What a customer is charged for, over the API: by subscriptions, or by hand. */
export function customerChargeRoutes(router: Router, scope: Scope, deps: BillingRunsDeps): void {
  chargeRoutes(router, createChargesService(scope, deps));
}
