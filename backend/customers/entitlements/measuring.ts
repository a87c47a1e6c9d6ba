import type { Feature, Features } from '../../catalog/features/index.ts';
import { convertQuantityPrecisely } from '../../catalog/rating/index.ts';
import { findMeters, type Meter } from '../../metering/meters/index.ts';
import { AGGREGATIONS } from '../../metering/usage-store/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { durationFrom, type Period, recurrence } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import {
  type Balance,
  type BalancePlan,
  balanceOf,
  type MeteredAllowance,
  planBalance,
  runPlan,
} from './engine/balance.ts';
import type { BurnDown } from './engine/burn-down.ts';
import type { Grant } from './engine/grant.ts';
import { usagePeriodAt } from './engine/usage-period.ts';
import { type UsageKind, usageWindow } from './engine/usage-windows.ts';
import type { EntitlementWithGrants, Measuring, StoredGrant } from './types.ts';

/** A metered entitlement, ready to be reckoned. */
export interface Measured {
  readonly stored: EntitlementWithGrants;
  readonly measuring: Measuring;
  readonly feature: Feature;
  readonly meter: Meter;
  readonly allowance: MeteredAllowance;
}

/** What usage is asked of. */
export interface MeasuringDeps {
  readonly scope: Scope;
  readonly features: Pick<Features, 'usage' | 'findByIds'>;
  /** Customers by id with the subjects whose events are theirs. */
  readonly findSubjects: (ids: readonly string[]) => Promise<ReadonlyMap<string, { subjects: readonly string[] }>>;
}

/** Looks up what the metered ones among the entitlements are measured by. */
export async function measuredOf(
  stored: readonly EntitlementWithGrants[],
  { scope, features }: Pick<MeasuringDeps, 'scope' | 'features'>,
): Promise<Measured[]> {
  const byId = await features.findByIds(
    stored.map(({ entitlement }) => entitlement.featureId),
    scope,
  );
  const meters = await findMeters(
    scope,
    Array.from(byId.values()).flatMap(({ meter }) => meter?.id ?? []),
  );
  return stored.flatMap((one): Measured[] => {
    const { terms, featureId, id } = one.entitlement;
    if (terms.type !== 'metered') return [];
    const feature = byId.get(featureId);
    const meter = feature?.meter && meters.get(feature.meter.id);
    const kind = meter && AGGREGATIONS[meter.aggregation].usageKind;
    if (feature === undefined || meter === undefined || kind === undefined) {
      throw new Error(`entitlement ${id} is metered, but its feature ${featureId} has no meter that adds up`);
    }
    return [
      { stored: one, measuring: terms.measuring, feature, meter, allowance: allowanceOf(one, terms.measuring, kind) },
    ];
  });
}

/** One reckoning to be done: which entitlement, and what was planned for it. */
export interface Reckoning {
  readonly measured: Measured;
  readonly plan: BalancePlan;
}

function allowanceOf(
  { entitlement, grants, resets }: EntitlementWithGrants,
  measuring: Measuring,
  usageKind: UsageKind,
): MeteredAllowance {
  const interval = durationFrom(measuring.usageInterval);
  const endMs = entitlement.activeToMs;
  return {
    grants: grants.map((grant) => engineGrant(grant)),
    periods: [
      { fromMs: measuring.measureFromMs, recurrence: recurrence(measuring.usageAnchorMs, interval) },
      ...resets
        .filter(({ effectiveAtMs }) => endMs === undefined || effectiveAtMs < endMs)
        .map(({ effectiveAtMs, anchorMs }) => ({ fromMs: effectiveAtMs, recurrence: recurrence(anchorMs, interval) })),
    ],
    usageKind,
    preservesOverage: (resetAtMs) =>
      resets.find(({ effectiveAtMs }) => effectiveAtMs === resetAtMs)?.preservesOverage ?? measuring.preservesOverage,
  };
}

function engineGrant(grant: StoredGrant): Grant {
  return {
    id: grant.id,
    amount: new Decimal(grant.amount),
    priority: grant.priority,
    effectiveAtMs: grant.effectiveAtMs,
    createdAtMs: grant.createdAtMs,
    expiresAtMs: grant.expiresAtMs,
    endedAtMs: grant.voidedAtMs,
    maxRollover: new Decimal(grant.maxRollover),
    minRollover: new Decimal(grant.minRollover),
    recurrence: grant.recurrence && recurrence(grant.recurrence.anchorMs, durationFrom(grant.recurrence.interval)),
  };
}

export function currentPeriod({ allowance }: Measured, atMs: number): Period {
  return usagePeriodAt(allowance.periods, atMs);
}

/** Balances at each customer's instant, in the order of the entitlements. Their usage is asked for together. */
export async function balancesAt(
  measured: readonly Measured[],
  nowOf: (customerId: string) => number,
  deps: Pick<MeasuringDeps, 'features' | 'findSubjects'>,
  signal?: AbortSignal,
): Promise<Balance[]> {
  const reckonings = measured.map((one) => ({
    measured: one,
    plan: planBalance(one.allowance, nowOf(one.stored.entitlement.customerId)),
  }));
  return (await reckon(reckonings, deps, signal)).map(balanceOf);
}

/**
 * Fetches the usage that the plans need and runs them. Customers whose usage periods are the same share one query, and
 * every query reads roll-ups: its cost does not depend on how much was used.
 */
export async function reckon(
  reckonings: readonly Reckoning[],
  deps: Pick<MeasuringDeps, 'features' | 'findSubjects'>,
  signal?: AbortSignal,
): Promise<BurnDown[]> {
  const needed = new Map<string, { feature: Feature; window: Period; customerIds: Set<string> }>();
  for (const { measured, plan } of reckonings) {
    const { feature, stored, allowance } = measured;
    for (const window of windowsOf(plan, allowance.usageKind)) {
      const key = windowKey(feature.id, window);
      const entry = needed.get(key) ?? { feature, window, customerIds: new Set() };
      entry.customerIds.add(stored.entitlement.customerId);
      needed.set(key, entry);
    }
  }
  const customerIds = new Set(reckonings.map(({ measured }) => measured.stored.entitlement.customerId));
  const subjects = await deps.findSubjects([...customerIds]);
  const values = new Map<string, Decimal>();
  const asked = Array.from(needed, ([key, { feature, window, customerIds: ids }]) => ({
    key,
    feature,
    scope: scopeOf(window, ids, subjects),
  })).filter(({ scope }) => scope.subjects.length > 0);
  const answers = await deps.features.usage.query(asked, signal);
  for (const [index, { key }] of asked.entries()) {
    for (const { subjectGroup, value } of answers[index] ?? []) {
      if (subjectGroup !== undefined) values.set(`${key} ${subjectGroup}`, new Decimal(value));
    }
  }
  return reckonings.map(({ measured, plan }) => {
    const { feature, stored, allowance, measuring } = measured;
    const { customerId } = stored.entitlement;
    return runPlan(allowance, plan, (window) => {
      const value = values.get(`${windowKey(feature.id, window)} ${customerId}`) ?? ZERO;
      const { unitConfig } = measuring;
      return unitConfig === undefined ? value : new Decimal(convertQuantityPrecisely(formatDecimal(value), unitConfig));
    });
  });
}

/** What `usagesOf` will ask for. */
export function* windowsOf({ segments }: BalancePlan, kind: UsageKind): Generator<Period> {
  const [first] = segments;
  if (kind === 'distinct' && first !== undefined && first.fromMs > first.periodFromMs) {
    yield { fromMs: first.periodFromMs, toMs: first.fromMs };
  }
  for (const segment of segments) {
    const window = usageWindow(segment, kind);
    if (window !== undefined) yield window;
  }
}

function windowKey(featureId: string, { fromMs, toMs }: Period): string {
  return `${featureId} ${fromMs} ${toMs}`;
}

/** What the customers used in the window, each for itself. */
function scopeOf(
  window: Period,
  customerIds: Iterable<string>,
  subjects: ReadonlyMap<string, { subjects: readonly string[] }>,
) {
  const subjectGroups = new Map<string, string>();
  for (const id of customerIds) {
    for (const subject of subjects.get(id)?.subjects ?? []) subjectGroups.set(subject, id);
  }
  return { ...window, subjects: [...subjectGroups.keys()], subjectGroups };
}
