import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { createVersionLifecycle, versionRepository } from '../product-catalog/index.ts';
import { planAddonRoutes } from './plan-addon-routes.ts';
import { createPlanAddonsService } from './plan-addon-service.ts';
import type { PlanAddon } from './plan-addon-types.ts';
import { type PlanBlockers, type PlanDeps, planKind } from './plan-kind.ts';
import { type PlanContent, toPlan } from './plan-mapping.ts';
import { planAddonRepository } from './repository.ts';
import { planRoutes } from './routes.ts';
import type { Plan } from './types.ts';

export type {
  CatalogIssue,
  EntitlementTemplate,
  Labels,
  Phase,
  RateCard,
  RateCardTerms,
  SettlementMode,
  TaxConfig,
} from '../product-catalog/index.ts';
export { plansBlockAddonDeletion } from './plan-addon-service.ts';
export type { PlanBlockers } from './plan-kind.ts';
export type { PlanBody } from './plan-mapping.ts';
export { findPlanIssues, PLAN_CADENCES } from './plan-rules.ts';
export type * from './types.ts';

/**
 * Plans: what customers can subscribe to, in versions. The finders take the transaction's scope inside one.
 */
export interface Plans {
  /** Registers the operations under `/plans`. */
  routes(router: Router): void;
  /** Versions by id, deleted ones included; unknown ids are absent. */
  findByIds(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Plan>>;
  /** The version in force at an instant; undefined when the key has none. */
  findActive(key: string, atMs: number, scope: Scope): Promise<Plan | undefined>;
  /** Deleted versions included. */
  findVersion(key: string, version: number, scope: Scope): Promise<Plan | undefined>;
  /** The add-ons that can be bought with a version, oldest first. */
  findAddons(planId: string, scope: Scope): Promise<readonly PlanAddon[]>;
}

/** @param deps.blockers what modules above have against the deletion of a plan; nothing when left out */
export function createPlans(deps: Omit<PlanDeps, 'blockers'> & { blockers?: PlanBlockers }): Plans {
  const { scope, blockers = { deletion: async () => undefined } } = deps;
  const withBlockers: PlanDeps = { ...deps, blockers };
  const lifecycle = createVersionLifecycle(deps.scope, planKind(withBlockers));
  const planAddons = createPlanAddonsService(withBlockers);
  const versions = (scope: Scope) => versionRepository<PlanContent>(scope, 'plans');
  return {
    routes: (router) => {
      planRoutes(router, lifecycle, scope.clock);
      planAddonRoutes(router, planAddons);
    },
    findByIds: async (ids, scope) => {
      const found = await versions(scope).byIds([...new Set(ids)]);
      return new Map(found.map((version) => [version.id, toPlan(version)]));
    },
    findActive: async (key, atMs, scope) => {
      const found = await versions(scope).activeAt(key, atMs);
      return found && toPlan(found);
    },
    findVersion: async (key, version, scope) => {
      const found = await versions(scope).byKeyAndVersion(key, version);
      return found && toPlan(found);
    },
    findAddons: (planId, scope) => planAddonRepository(scope).livingOfPlans([planId]),
  };
}
