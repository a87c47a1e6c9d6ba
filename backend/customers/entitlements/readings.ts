import type { Decimal } from '../../platform/decimal.ts';
import type { Period } from '../../platform/period/index.ts';
import { nowByCustomer } from '../test-clocks/index.ts';
import { accessOf } from './access.ts';
import { toEntitlementBody } from './bodies.ts';
import { currentPeriod, type MeasuringDeps } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { EntitlementBody } from './schema.ts';

/** What is left of a metered entitlement, at its customer's now. */
export interface Reading {
  readonly entitlement: EntitlementBody;
  readonly customerId: string;
  readonly feature: { readonly id: string; readonly key: string };
  readonly period: Period;
  readonly hasAccess: boolean;
  readonly usage: Decimal;
  readonly balance: Decimal;
  readonly overage: Decimal;
  /** All that grants give in the period. */
  readonly limit: Decimal;
}

/** For modules above that watch balances. */
export interface Readings {
  /** All metered entitlements in force of these customers. */
  of(customerIds: readonly string[]): Promise<Reading[]>;
  /**
   * Customers with metered entitlements in force, each at least once, a page at a time.
   * @param after `last` of the page before @returns `last` undefined where there is no more
   */
  customers(after: string, limit: number): Promise<{ customerIds: string[]; last: string | undefined }>;
}

export function createReadings(deps: MeasuringDeps): Readings {
  const { scope } = deps;
  return {
    of: async (customerIds) => {
      const now = await nowByCustomer(scope);
      const found = await accessOf(customerIds, undefined, now.of, deps);
      return [...found.values()]
        .flatMap((byFeature) => [...byFeature.values()])
        .flatMap((access): Reading[] => {
          const { entitlement, measured, hasAccess } = access;
          if (measured === undefined) return [];
          const { customerId, featureId: id, featureKey: key } = entitlement;
          const atMs = now.of(customerId);
          return [
            {
              entitlement: toEntitlementBody(entitlement, measured.measured, atMs),
              customerId,
              feature: { id, key },
              period: currentPeriod(measured.measured, atMs),
              hasAccess,
              usage: measured.usage,
              balance: measured.balance,
              overage: measured.overage,
              limit: measured.totalAvailableGrantAmount,
            },
          ];
        });
    },
    customers: async (after, limit) => {
      const page = await entitlementRepository(scope).measuredPage(after, limit, await nowByCustomer(scope));
      const customerIds = [...new Set(page.map(({ customerId }) => customerId))];
      return { customerIds, last: page.length < limit ? undefined : page.at(-1)?.id };
    },
  };
}
