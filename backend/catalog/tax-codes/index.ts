import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { taxCodeRepository } from './repository.ts';
import { taxCodeRoutes } from './routes.ts';
import type { TaxCode } from './schema.ts';
import { createTaxCodesService, type TaxCodesService } from './service.ts';

export type { DefaultTaxCodes, TaxCode } from './schema.ts';

/** Tax codes: the API's operations, and tax codes for modules that refer to them. */
export interface TaxCodes extends TaxCodesService {
  /** Registers the operations under `/tax-codes` and `/defaults/tax-codes`. */
  routes(router: Router): void;
  /**
   * Tax codes by id, deleted ones (with `deleted_at`) included; unknown ids are absent.
   * @param scope the transaction's inside one
   */
  findByIds(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, TaxCode>>;
}

export function createTaxCodes(deps: { scope: Scope }): TaxCodes {
  const service = createTaxCodesService(deps);
  return {
    ...service,
    routes: (router) => taxCodeRoutes(router, service),
    findByIds: async (ids, scope) => {
      const found = await taxCodeRepository(scope).byIds([...new Set(ids)]);
      return new Map(found.map(({ taxCode }) => [taxCode.id, taxCode]));
    },
  };
}
