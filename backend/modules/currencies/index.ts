import type { Clock } from '../../platform/clock.ts';
import { fiatCurrency } from '../../platform/currencies.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { Router } from '../../platform/http/router.ts';
import type { NewId } from '../../platform/ids.ts';
import type { Currency } from '../../platform/money.ts';
import { currencyRepository } from './repository.ts';
import { currencyRoutes } from './routes.ts';
import { type CurrenciesService, createCurrenciesService } from './service.ts';

export type { CostBasis, CustomCurrency } from './schema.ts';

/** Currencies: the API's operations, and what arithmetic needs of a currency. */
export interface Currencies extends CurrenciesService {
  /** Registers the operations under `/currencies`. */
  routes(router: Router): void;
  /**
   * The currency of a code, of ISO 4217 or a custom one, with its digits; undefined when there is none.
   * @param db the transaction's handle inside one: without it the call would wait for that transaction for ever
   */
  find(code: string, db?: ControlDb): Promise<Currency | undefined>;
}

export function createCurrencies(deps: { db: ControlDb; clock: Clock; newId: NewId }): Currencies {
  const service = createCurrenciesService(deps);
  return {
    ...service,
    routes: (router) => currencyRoutes(router, service),
    find: async (code, db = deps.db) => {
      const fiat = fiatCurrency(code);
      if (fiat !== undefined) return fiat;
      const custom = await currencyRepository(db).byCode(code);
      return custom && { code: custom.code, digits: custom.precision };
    },
  };
}
