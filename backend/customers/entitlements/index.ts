/**
 * Entitlements: what a customer may use of a feature, what is left of it, and who may use what right now. Balances are
 * reckoned when they are read, from roll-ups, so late events and corrections are in every answer.
 */

import { DomainProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { type AccessQueryDeps, createAccessQueries } from './access-query.ts';
import { accessRoutes } from './access-routes.ts';
import { type FollowDeps, followAllCustomers, followCustomer } from './follow-customer.ts';
import { usageNeededFromMs } from './needed-usage.ts';
import { createReadings, type Readings } from './readings.ts';
import { entitlementRepository } from './repository.ts';
import { entitlementRoutes } from './routes.ts';
import { createEntitlementsService, type EntitlementsService, nowOf } from './service.ts';
import { createUsageChanges, type UsageChanges } from './usage-changes.ts';
import { usageRoutes } from './usage-routes.ts';
import { createValues, type Values } from './values.ts';

export type * from './credit.ts';
export type { Reading, Readings } from './readings.ts';

/** Entitlements: the API's operations, values for modules above, and what subscriptions bring about. */
export interface Entitlements extends EntitlementsService, UsageChanges {
  readonly values: Values;
  readonly readings: Readings;
  routes(router: Router): void;
  /** Makes a customer's entitlements what their subscriptions say, as they are now. */
  followCustomer(customerId: string): Promise<void>;
  /** The same for all customers; to be called at the start, for changes that were stored when the process ended. */
  followAllCustomers(): Promise<void>;
  /** From when on balances need events one by one; undefined: they need none. */
  usageNeededFromMs(): Promise<number | undefined>;
  /** Why the customer may not be deleted; undefined when it may. */
  blocksDeletion(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
}

export function createEntitlements(deps: AccessQueryDeps & FollowDeps): Entitlements {
  const service = createEntitlementsService(deps);
  const changes = createUsageChanges(deps);
  const values = createValues(deps);
  const queries = createAccessQueries(deps);
  return {
    ...service,
    ...changes,
    values,
    readings: createReadings(deps),
    routes: (router) => {
      entitlementRoutes(router, service);
      usageRoutes(router, changes, values);
      accessRoutes(router, values, queries);
    },
    followCustomer: (customerId) => followCustomer(customerId, deps),
    followAllCustomers: () => followAllCustomers(deps),
    usageNeededFromMs: () => usageNeededFromMs(deps),
    blocksDeletion: async (customerId, scope) => {
      if (!(await entitlementRepository(scope).hasAny(customerId, await nowOf(customerId, scope)))) return undefined;
      return new DomainProblem('bad-request', `customer ${customerId} has entitlements in force: end them first`);
    },
  };
}
