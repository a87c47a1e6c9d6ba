import { type Decimal, formatDecimal } from '../../platform/decimal.ts';
import { type Balance, hasAccess } from './engine/balance.ts';
import { usagePeriodAt } from './engine/usage-period.ts';
import { balancesAt, type Measured, type MeasuringDeps, measuredOf } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { Entitlement } from './types.ts';

/** What a customer may do with a feature at an instant. */
export interface Access {
  readonly entitlement: Entitlement;
  readonly hasAccess: boolean;
  /** Of a metered entitlement. */
  readonly measured: MeasuredAccess | undefined;
}

export interface MeasuredAccess extends Balance {
  readonly measured: Measured;
  /** When usage begins anew, unless the entitlement ends before. */
  readonly resetsAtMs: number;
}

/** Why there is no access; the codes of the contract. */
export type DenialCode = 'usage_limit_reached' | 'feature_unavailable' | 'feature_not_found' | 'no_credit_available';

export const DENIAL_MESSAGES: Readonly<Record<DenialCode, string>> = {
  usage_limit_reached: 'the usage limit of the feature is reached',
  feature_unavailable: 'the customer has no access to the feature',
  feature_not_found: 'there is no feature with this key',
  no_credit_available: 'the customer has no credit left for the feature',
};

/**
 * The entitlements in force of these customers, with what is left of them; by customer and feature key. What they all
 * used is asked for together.
 * @param featureKeys undefined: all
 * @param nowOf each customer's own instant: some are on test clocks
 */
export async function accessOf(
  customerIds: readonly string[],
  featureKeys: readonly string[] | undefined,
  nowOf: (customerId: string) => number,
  deps: MeasuringDeps,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Access>>> {
  const repository = entitlementRepository(deps.scope);
  const entitlements: Entitlement[] = [];
  for (const [atMs, some] of Map.groupBy(customerIds, nowOf)) {
    for (const one of await repository.inForce(some, featureKeys, atMs)) entitlements.push(one);
  }
  const stored = await repository.withGrants(entitlements);
  const all = await judge(entitlements, await measuredOf(stored, deps), nowOf, deps, signal);
  const byCustomer = new Map<string, Map<string, Access>>();
  for (const access of all) {
    const { customerId, featureKey } = access.entitlement;
    const own = byCustomer.get(customerId) ?? new Map<string, Access>();
    byCustomer.set(customerId, own.set(featureKey, access));
  }
  return byCustomer;
}

/** Access by entitlements that are in force. @param measured the metered ones among them */
export async function judge(
  entitlements: readonly Entitlement[],
  measured: readonly Measured[],
  nowOf: (customerId: string) => number,
  deps: MeasuringDeps,
  signal?: AbortSignal,
): Promise<Access[]> {
  const balances = await balancesAt(measured, nowOf, deps, signal);
  const byId = new Map(measured.map((one, index) => [one.stored.entitlement.id, { one, balance: balances[index] }]));
  return entitlements.map((entitlement) => {
    const { one, balance } = byId.get(entitlement.id) ?? {};
    if (one === undefined || balance === undefined) return { entitlement, hasAccess: true, measured: undefined };
    return {
      entitlement,
      hasAccess: hasAccess(one.measuring.isSoftLimit, balance.balance),
      measured: {
        ...balance,
        measured: one,
        resetsAtMs: usagePeriodAt(one.allowance.periods, nowOf(entitlement.customerId)).toMs,
      },
    };
  });
}

/** The configuration of a static entitlement, as access answers carry it: JSON in a string. */
export function configOf({ terms }: Entitlement): string | undefined {
  return terms.type === 'static' ? terms.configJson : undefined;
}

export function amountsById(balances: ReadonlyMap<string, Decimal>): Record<string, string> {
  return Object.fromEntries(Array.from(balances, ([id, balance]) => [id, formatDecimal(balance)]));
}
