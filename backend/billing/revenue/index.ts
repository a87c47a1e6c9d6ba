import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { RevenueDeps } from './deps.ts';
import { revenueRoutes as routes } from './routes.ts';
import { createRevenueService } from './service.ts';

/** What was invoiced in a period. */
export function revenueRoutes(router: Router, scope: Scope, deps: RevenueDeps): void {
  routes(router, createRevenueService(scope, deps));
}
