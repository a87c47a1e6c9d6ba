import type { Router } from '../../platform/http/router.ts';
import { subscriptionAddonRoutes } from './addon-routes.ts';
import { createSubscriptionAddonService } from './addon-service.ts';
import type { SubscriptionDeps } from './deps.ts';
import { createEditService } from './edit-service.ts';
import { createEndService } from './end-service.ts';
import { createSubscriptionQueries, createSubscriptionViews, type SubscriptionViews } from './query-service.ts';
import { subscriptionRoutes } from './routes.ts';
import { createStartService } from './start-service.ts';

/** Subscriptions: which customer uses what, on which terms, in which period. */
export { billingPeriodAt, billingPeriodWithin } from './billing-period.ts';
export type { SubscriptionDeps } from './deps.ts';
export { explainBySubscriptions } from './explain-by-subscriptions.ts';
export { type LineRange, linesOfCards, type SubscriptionLine, subscriptionLines } from './lines.ts';
export { createSubscriptionBlockers, type SubscriptionBlockers, type SubscriptionViews } from './query-service.ts';
export { planKeysOfCustomerSql, SUBSCRIPTIONS_SEARCHED } from './repository.ts';
export type { SubscriptionStatus } from './types.ts';
export type { ItemView, PhaseView, SubscriptionView } from './view.ts';

export interface Subscriptions extends SubscriptionViews {
  /** Registers the operations under `/subscriptions`. */
  routes(router: Router): void;
}

export function createSubscriptions(deps: SubscriptionDeps): Subscriptions {
  const service = {
    ...createSubscriptionQueries(deps),
    ...createStartService(deps),
    ...createEndService(deps),
    ...createEditService(deps),
  };
  const addons = createSubscriptionAddonService(deps);
  return {
    ...createSubscriptionViews(),
    routes: (router) => {
      subscriptionRoutes(router, service);
      subscriptionAddonRoutes(router, addons);
    },
  };
}
