import { createAddons } from '../modules/addons/index.ts';
import { createCurrencies } from '../modules/currencies/index.ts';
import type { Features } from '../modules/features/index.ts';
import { createPlans, plansBlockAddonDeletion } from '../modules/plans/index.ts';
import { catalogLookups } from '../modules/product-catalog/index.ts';
import { createTaxCodes } from '../modules/tax-codes/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { AppParts } from './parts.ts';

/** What is sold: plans and add-ons, and the currencies and tax codes that they name. */
export function createCatalog({ db, clock, newId }: AppParts, features: Features) {
  const taxCodes = createTaxCodes({ db, clock, newId });
  const currencies = createCurrencies({ db, clock, newId });
  const lookups = catalogLookups({ features, currencies, taxCodes });
  const addons = createAddons({ db, clock, newId, lookups, blocksDeletion: plansBlockAddonDeletion });
  const plans = createPlans({ db, clock, newId, lookups, findAddons: addons.findByIds });
  return {
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
