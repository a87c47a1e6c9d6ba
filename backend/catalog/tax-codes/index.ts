import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { Router } from '../../platform/http/router.ts';
import type { NewId } from '../../platform/ids.ts';
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
   * @param db the transaction's handle inside one: without it the call would wait for that transaction for ever
   */
  findByIds(ids: readonly string[], db?: ControlDb): Promise<ReadonlyMap<string, TaxCode>>;
}

export function createTaxCodes(deps: { db: ControlDb; clock: Clock; newId: NewId }): TaxCodes {
  const service = createTaxCodesService(deps);
  return {
    ...service,
    routes: (router) => taxCodeRoutes(router, service),
    findByIds: async (ids, db = deps.db) => {
      const found = await taxCodeRepository(db).byIds([...new Set(ids)]);
      return new Map(found.map(({ taxCode }) => [taxCode.id, taxCode]));
    },
  };
}
