import { PROFILE_OF_CUSTOMER_SQL } from '../billing/billing-profiles/index.ts';
import { createCustomers } from '../customers/customers/index.ts';
import { createEntitlements } from '../customers/entitlements/index.ts';
import {
  createSubscriptionBlockers,
  createSubscriptions,
  planKeysOfCustomerSql,
} from '../customers/subscriptions/index.ts';
import { createKongConsumers, createUsageSources, usageSourceRoutes } from '../customers/usage-sources/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { Scope } from '../platform/scope.ts';
import type { Catalog } from './catalog.ts';
import type { Hooks } from './hooks.ts';
import type { Parts } from './parts.ts';

/** Customers, whose usage an event is, what they have agreed to, and what they may use. */
export function createCustomersArea({ scope, usage, kongAdmin }: Parts, hooks: Hooks, catalog: Catalog) {
  const customers = createCustomers({
    scope,
    blockers: hooks.customers,
    relatedColumns: {
      billing_profile_id: PROFILE_OF_CUSTOMER_SQL,
      plan_key: () => planKeysOfCustomerSql(scope.clock.nowMs()),
    },
  });
  /** Also inside a transaction. */
  const findCustomer = (id: string, scope: Scope) => createCustomers({ scope }).get(id);
  const { features, plans, addons, lookups } = catalog;
  const subscriptions = createSubscriptions({ scope, plans, addons, lookups, ...hooks.subscriptions });
  const entitlements = createEntitlements({
    scope,
    features,
    findSubjects: customers.findByIds,
    findBySubjects: customers.findBySubjects,
    findCustomers: customers.getMany,
    subscriptions,
    getCustomer: findCustomer,
    findCredit: hooks.entitlements.findCredit,
  });
  const consumers = kongAdmin && createKongConsumers(kongAdmin);
  return {
    customers,
    subscriptions,
    subscriptionBlockers: createSubscriptionBlockers(),
    entitlements,
    findCustomer,
    usageSourceRoutes: (router: Router): void =>
      usageSourceRoutes(router, createUsageSources({ scope, usage, customers, consumers })),
  };
}

export type CustomersArea = ReturnType<typeof createCustomersArea>;
