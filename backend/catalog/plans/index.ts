import type { ControlDb } from '../../platform/db/control-db.ts';
import type { Router } from '../../platform/http/router.ts';
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
 * Plans: what customers can subscribe to, in versions. The finders take the transaction's handle inside one: without it
 * they would wait for that transaction for ever.
 */
export interface Plans {
  /** Registers the operations under `/plans`. */
  routes(router: Router): void;
  /** Versions by id, deleted ones included; unknown ids are absent. */
  findByIds(ids: readonly string[], db?: ControlDb): Promise<ReadonlyMap<string, Plan>>;
  /** The version in force at an instant; undefined when the key has none. */
  findActive(key: string, atMs: number, db?: ControlDb): Promise<Plan | undefined>;
  /** Deleted versions included. */
  findVersion(key: string, version: number, db?: ControlDb): Promise<Plan | undefined>;
  /** The add-ons that can be bought with a version, oldest first. */
  findAddons(planId: string, db?: ControlDb): Promise<readonly PlanAddon[]>;
}

/** @param deps.blockers what modules above have against the deletion of a plan; nothing when left out */
export function createPlans(deps: Omit<PlanDeps, 'blockers'> & { blockers?: PlanBlockers }): Plans {
  const { clock, blockers = { deletion: async () => undefined } } = deps;
  const withBlockers: PlanDeps = { ...deps, blockers };
  const lifecycle = createVersionLifecycle(deps, planKind(withBlockers));
  const planAddons = createPlanAddonsService(withBlockers);
  const versions = (db: ControlDb) => versionRepository<PlanContent>(db, 'plans');
  return {
    routes: (router) => {
      planRoutes(router, lifecycle, clock);
      planAddonRoutes(router, planAddons);
    },
    findByIds: async (ids, db = deps.db) => {
      const found = await versions(db).byIds([...new Set(ids)]);
      return new Map(found.map((version) => [version.id, toPlan(version)]));
    },
    findActive: async (key, atMs, db = deps.db) => {
      const found = await versions(db).activeAt(key, atMs);
      return found && toPlan(found);
    },
    findVersion: async (key, version, db = deps.db) => {
      const found = await versions(db).byKeyAndVersion(key, version);
      return found && toPlan(found);
    },
    findAddons: (planId, db = deps.db) => planAddonRepository(db).livingOfPlans([planId]),
  };
}
