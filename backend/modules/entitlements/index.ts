/**
 * Entitlements: what a customer may use of a feature, what is left of it, and who may use what right now. Balances are
 * reckoned when they are read, from roll-ups, so late events and corrections are in every answer.
 */
import type { ControlDb } from '../../platform/db/control-db.ts';
import { DomainProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import { type AccessQueryDeps, createAccessQueries } from './access-query.ts';
import { accessRoutes } from './access-routes.ts';
import { type AgreedSubscription, followSubscription } from './from-subscription.ts';
import { entitlementRepository } from './repository.ts';
import { entitlementRoutes } from './routes.ts';
import { createEntitlementsService, type EntitlementsService } from './service.ts';
import { createUsageChanges, type UsageChanges } from './usage-changes.ts';
import { usageRoutes } from './usage-routes.ts';
import { createValues, type Values } from './values.ts';

export type { AgreedAccess, AgreedSubscription } from './from-subscription.ts';

/** Entitlements: the API's operations, values for modules above, and what subscriptions bring about. */
export interface Entitlements extends EntitlementsService, UsageChanges {
  readonly values: Values;
  routes(router: Router): void;
  /**
   * Makes a customer's entitlements what a subscription says; to be called in the transaction that changes it.
   * @throws DomainProblem 409 when the customer has an entitlement to a feature from elsewhere
   */
  followSubscription(subscription: AgreedSubscription, db: ControlDb): Promise<void>;
  /** Why the customer may not be deleted; undefined when it may. */
  blocksDeletion(customerId: string, db: ControlDb): Promise<DomainProblem | undefined>;
}

export function createEntitlements(deps: AccessQueryDeps): Entitlements {
  const service = createEntitlementsService(deps);
  const changes = createUsageChanges(deps);
  const values = createValues(deps);
  const queries = createAccessQueries(deps);
  return {
    ...service,
    ...changes,
    values,
    routes: (router) => {
      entitlementRoutes(router, service);
      usageRoutes(router, changes, values);
      accessRoutes(router, values, queries);
    },
    followSubscription: (subscription, db) =>
      followSubscription(subscription, { db, newId: deps.newId, nowMs: deps.clock.nowMs() }),
    blocksDeletion: async (customerId, db) => {
      if (!(await entitlementRepository(db).hasAny(customerId, deps.clock.nowMs()))) return undefined;
      return new DomainProblem('bad-request', `customer ${customerId} has entitlements in force: end them first`);
    },
  };
}
