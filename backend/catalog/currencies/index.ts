import { fiatCurrency } from '../../platform/currencies.ts';
import type { Router } from '../../platform/http/router.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
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
   * @param scope the transaction's inside one
   */
  find(code: string, scope: Scope): Promise<Currency | undefined>;
  /** What these currencies are and what a custom one costs now; unknown codes are absent. @param scope as in find */
  describe(codes: readonly string[], scope: Scope): Promise<ReadonlyMap<string, CurrencyDescription>>;
}

export interface CurrencyDescription {
  isCustom: boolean;
  /** Codes of the fiat currencies in which a custom currency has a cost basis now. */
  costBases: ReadonlySet<string>;
}

export function createCurrencies(deps: { scope: Scope }): Currencies {
  const service = createCurrenciesService(deps);
  return {
    ...service,
    routes: (router) => currencyRoutes(router, service),
    find: async (code, scope) => {
      const fiat = fiatCurrency(code);
      if (fiat !== undefined) return fiat;
      const custom = await currencyRepository(scope).byCode(code);
      return custom && { code: custom.code, digits: custom.precision };
    },
    describe: async (codes, scope) => {
      const found = new Map<string, CurrencyDescription>();
      for (const code of new Set(codes)) {
        const description = await describe(code, scope, scope.clock.nowMs());
        if (description !== undefined) found.set(code, description);
      }
      return found;
    },
  };
}

async function describe(code: string, scope: Scope, atMs: number): Promise<CurrencyDescription | undefined> {
  if (fiatCurrency(code) !== undefined) return { isCustom: false, costBases: new Set() };
  const currencies = currencyRepository(scope);
  const custom = await currencies.byCode(code);
  if (custom === undefined) return undefined;
  // Cost bases that begin later are among them.
  const current = await currencies.currentCostBases(custom.id, atMs);
  const begun = current.filter((basis) => (parseInstant(basis.effective_from) ?? Number.NaN) <= atMs);
  return { isCustom: true, costBases: new Set(begun.map((basis) => basis.fiat_code)) };
}
