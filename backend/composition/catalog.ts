import { createAddons } from '../catalog/addons/index.ts';
import { createCurrencies } from '../catalog/currencies/index.ts';
import { createFeatures } from '../catalog/features/index.ts';
import { createPlans, plansBlockAddonDeletion } from '../catalog/plans/index.ts';
import { catalogBlocksArchiving, catalogLookups } from '../catalog/product-catalog/index.ts';
import { createTaxCodes } from '../catalog/tax-codes/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { Hooks } from './hooks.ts';
import type { Parts } from './parts.ts';

/** What is sold: features, plans and add-ons, and the currencies and tax codes that they name. */
export function createCatalog({ scope, usage }: Parts, hooks: Hooks) {
  const features = createFeatures({
    scope,
    usage,
    findSubjects: async (ids) => (await hooks.features.findSubjects(ids)) ?? new Map(),
    users: { blocksArchiving: (feature, scope) => catalogBlocksArchiving(feature, scope, scope.clock.nowMs()) },
  });
  const taxCodes = createTaxCodes({ scope });
  const currencies = createCurrencies({ scope });
  const lookups = catalogLookups({ features, currencies, taxCodes });
  const addons = createAddons({ scope, lookups, blocksDeletion: plansBlockAddonDeletion });
  const plans = createPlans({ scope, lookups, findAddons: addons.findByIds });
  return {
    features,
    currencies,
    taxCodes,
    lookups,
    addons,
    plans,
    routes: (router: Router): void => {
      for (const part of [taxCodes, currencies, plans, addons]) part.routes(router);
    },
  };
}

export type Catalog = ReturnType<typeof createCatalog>;
