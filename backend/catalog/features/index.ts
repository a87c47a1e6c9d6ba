import type { UsageStore } from '../../metering/usage-store/index.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { featureRepository } from './repository.ts';
import { featureRoutes } from './routes.ts';
import type { Feature } from './schema.ts';
import { createFeaturesService, type FeaturesService, type FeatureUsers } from './service.ts';
import { createFeatureUsage, type FeatureUsage, type FindSubjects } from './usage.ts';

export { explainByFeatures } from './explain-by-features.ts';
export { FEATURES_AS_METER_USERS } from './meter-users.ts';
export { FEATURES_SEARCHED } from './repository.ts';
export type { CreateFeature, Feature, UnitCost } from './schema.ts';
export type { FeatureUsers } from './service.ts';
export type { FeatureUsage, FeatureUsageScope, FindSubjects } from './usage.ts';

/** Features: the API's operations, features for modules above, and their usage. */
export interface Features extends FeaturesService {
  /** Registers the operations under `/features`. */
  routes(router: Router): void;
  /**
   * Features by id, archived ones (with `deleted_at`) included; unknown ids are absent.
   * @param scope the transaction's inside one
   */
  findByIds(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Feature>>;
  /** The living feature of each key, else the one archived last; unknown keys are absent. @param scope as in findByIds */
  findByKeys(keys: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Feature>>;
  /** What was used of a feature. */
  usage: FeatureUsage;
}

/**
 * @param deps.findSubjects the subjects of customers; `customers.findByIds` will do
 * @param deps.users what modules above have against archiving; nothing when left out
 */
export function createFeatures(deps: {
  scope: Scope;
  usage: UsageStore;
  findSubjects: FindSubjects;
  users?: FeatureUsers;
}): Features {
  const service = createFeaturesService(deps);
  return {
    ...service,
    routes: (router) => featureRoutes(router, service),
    findByIds: async (ids, scope) => {
      const found = await featureRepository(scope).byIds(ids);
      return new Map(found.map((feature) => [feature.id, feature]));
    },
    findByKeys: async (keys, scope) => {
      const found = await featureRepository(scope).byKeys(keys);
      const latest = new Map<string, Feature>();
      for (const feature of found) {
        if (latest.get(feature.key)?.deleted_at !== undefined || !latest.has(feature.key))
          latest.set(feature.key, feature);
      }
      return latest;
    },
    usage: createFeatureUsage(deps),
  };
}
