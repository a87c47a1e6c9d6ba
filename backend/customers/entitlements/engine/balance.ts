import { type Decimal, ZERO } from '../../../platform/decimal.ts';
import type { Period } from '../../../platform/period/index.ts';
import { type BalanceState, type BurnDown, burnDown, EMPTY_STATE, totalAvailable, totalBalance } from './burn-down.ts';
import { forgetsAtReset, type Grant, isActiveAt } from './grant.ts';
import { planSegments, type Segment } from './segments.ts';
import { resetsWithin, type UsagePeriods } from './usage-period.ts';
import { burnDownMode, type UsageKind, usagesOf } from './usage-windows.ts';

/** A metered entitlement as the engine sees it. */
export interface MeteredAllowance {
  readonly grants: readonly Grant[];
  readonly periods: UsagePeriods;
  readonly usageKind: UsageKind;
  /** Whether the reset at this instant keeps what no grant has paid for. */
  readonly preservesOverage: (resetAtMs: number) => boolean;
}

/** What is to be reckoned: asked for first, so that all usage can be fetched at once. */
export interface BalancePlan {
  readonly start: BalanceState;
  readonly segments: readonly Segment[];
}

/** What is left at an instant. Quantities of the feature's unit. */
export interface Balance {
  readonly balance: Decimal;
  /** Since the last reset. */
  readonly usage: Decimal;
  /** Usage that no grant has paid for. */
  readonly overage: Decimal;
  readonly totalAvailableGrantAmount: Decimal;
  readonly grantBalances: ReadonlyMap<string, Decimal>;
}

const MINUTE_MS = 60_000;

/** Grants, resets and anchors lie on whole minutes. */
export function minuteOf(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

/**
 * A balance is read as of the end of the current minute, so that usage of the last seconds counts. What happens at that
 * end, a reset above all, has not happened yet: or the last minute of a period would be for free.
 */
export function readingMinuteOf(atMs: number): number {
  return Math.ceil(atMs / MINUTE_MS) * MINUTE_MS;
}

/**
 * What has to be reckoned for the balance at an instant. It begins at the last reset behind which nothing of the past
 * counts: with the grants of a plan that is the current period's, so a check costs the same whatever was before.
 * @param fromMs reckon at least from here on, for a history
 */
export function planBalance(
  allowance: MeteredAllowance,
  atMs: number,
  { fromMs = atMs, cutsMs = [] }: { fromMs?: number; cutsMs?: readonly number[] } = {},
): BalancePlan {
  const { grants, periods } = allowance;
  const measureFromMs = periods[0]?.fromMs ?? atMs;
  const untilMs = readingMinuteOf(atMs);
  const resets = resetsWithin(periods, measureFromMs, atMs).filter((resetMs) => resetMs > measureFromMs);
  const begin = resets.findLast((resetMs) => resetMs <= fromMs && isForgetful(allowance, resetMs)) ?? measureFromMs;
  const start = begin === measureFromMs ? EMPTY_STATE : stateBehind(grants, begin);
  const segments = planSegments({
    grants,
    periodFromMs: begin,
    fromMs: Math.min(begin, untilMs),
    untilMs,
    includesEnd: untilMs === atMs,
    resetsMs: resets,
    cutsMs,
  });
  return { start, segments };
}

/** Reckons what was planned. @param meterValue the meter's value for a stretch */
export function runPlan(
  allowance: MeteredAllowance,
  plan: BalancePlan,
  meterValue: (window: Period) => Decimal,
): BurnDown {
  const { grants, usageKind, preservesOverage } = allowance;
  const usages = usagesOf(plan.segments, usageKind, meterValue);
  return burnDown({ ...plan, grants, usages, preservesOverage, mode: burnDownMode(usageKind) });
}

export function balanceOf({ state }: BurnDown): Balance {
  return {
    balance: totalBalance(state.balances),
    usage: state.usage,
    overage: state.overage,
    totalAvailableGrantAmount: totalAvailable(state),
    grantBalances: state.balances,
  };
}

/** A soft limit is for showing: it never ends access. */
export function hasAccess(isSoftLimit: boolean, balance: Decimal): boolean {
  return isSoftLimit || balance.greaterThan(ZERO);
}

/** Whether the state behind a reset is the same whatever was used before it. */
function isForgetful({ grants, preservesOverage, usageKind }: MeteredAllowance, resetAtMs: number): boolean {
  if (usageKind === 'latest') return true;
  return !preservesOverage(resetAtMs) && grantsBefore(grants, resetAtMs).every(forgetsAtReset);
}

function stateBehind(grants: readonly Grant[], resetAtMs: number): BalanceState {
  const balances = grantsBefore(grants, resetAtMs).map(({ id, maxRollover }) => [id, maxRollover] as const);
  return { ...EMPTY_STATE, balances: new Map(balances) };
}

/** Those that a reset finds: active right before it. */
function grantsBefore(grants: readonly Grant[], resetAtMs: number): readonly Grant[] {
  return grants.filter((grant) => grant.effectiveAtMs < resetAtMs && isActiveAt(grant, resetAtMs - 1));
}
