import { type Decimal, ZERO } from '../../../platform/decimal.ts';
import { isBoundary } from '../../../platform/period/index.ts';
import { type Grant, inBurnDownOrder, isActiveAt, rolledOver } from './grant.ts';
import type { Segment } from './segments.ts';

/** What is left and what was used, at an instant. */
export interface BalanceState {
  readonly balances: ReadonlyMap<string, Decimal>;
  /** Usage that no grant has paid for. */
  readonly overage: Decimal;
  /** Since the last reset. */
  readonly usage: Decimal;
  /** What grants have paid for since the last reset. */
  readonly grantUsage: Decimal;
}

/** What happened in one segment. */
export interface BurntSegment extends Segment {
  readonly balancesAtStart: ReadonlyMap<string, Decimal>;
  readonly balancesAtEnd: ReadonlyMap<string, Decimal>;
  readonly overageAtStart: Decimal;
  readonly overage: Decimal;
  readonly usage: Decimal;
  /** In the order in which the grants were used; those that had nothing left are not among them. */
  readonly grantUsages: readonly { readonly grantId: string; readonly usage: Decimal }[];
}

export interface BurnDown {
  readonly segments: readonly BurntSegment[];
  readonly state: BalanceState;
}

export interface BurnDownInput {
  readonly grants: readonly Grant[];
  readonly start: BalanceState;
  readonly segments: readonly Segment[];
  /** The usage of each segment; none for a rollover. */
  readonly usages: readonly Decimal[];
  /** Whether a reset keeps what no grant has paid for. */
  readonly preservesOverage: (resetAtMs: number) => boolean;
  /**
   * `spend`: usage takes from the grants for good, as with sums and counts. `level`: the usage of a segment is what is
   * in use by its end, and the grants say how much that may be, as with meters of the latest value.
   */
  readonly mode: 'spend' | 'level';
}

/** Nothing used, nothing left. */
export const EMPTY_STATE: BalanceState = { balances: new Map(), overage: ZERO, usage: ZERO, grantUsage: ZERO };

/** Σ of the grants' balances. */
export function totalBalance(balances: ReadonlyMap<string, Decimal>): Decimal {
  return [...balances.values()].reduce((sum, balance) => sum.plus(balance), ZERO);
}

/** All that grants have paid for in this usage period, and all that they still can. */
export function totalAvailable({ balances, grantUsage }: BalanceState): Decimal {
  return totalBalance(balances).plus(grantUsage);
}

/** Goes through the segments one by one. The algorithm is OpenMeter's (its credit engine). */
export function burnDown({ grants, start, segments, usages, preservesOverage, mode }: BurnDownInput): BurnDown {
  const ordered = inBurnDownOrder(grants);
  const burnt: BurntSegment[] = [];
  let state = start;
  segments.forEach((segment, index) => {
    const usage = usages[index] ?? ZERO;
    const step =
      segment.kind === 'rollover'
        ? rollOver(ordered, state, segment, preservesOverage(segment.fromMs))
        : use(ordered, state, segment, usage, mode);
    burnt.push(step.segment);
    state = step.state;
  });
  return { segments: burnt, state };
}

interface Step {
  readonly segment: BurntSegment;
  readonly state: BalanceState;
}

function use(
  grants: readonly Grant[],
  state: BalanceState,
  segment: Segment,
  usage: Decimal,
  mode: BurnDownInput['mode'],
): Step {
  const balancesAtStart = new Map(
    grants.map((grant) => [grant.id, balanceAtStart(grant, state.balances.get(grant.id), segment.fromMs, mode)]),
  );
  const overageAtStart = mode === 'level' ? ZERO : state.overage;
  const paid = pay(grants, balancesAtStart, usage.plus(overageAtStart));
  const isLevel = mode === 'level';
  return {
    segment: { ...segment, balancesAtStart, overageAtStart, usage, ...paid },
    state: {
      balances: paid.balancesAtEnd,
      overage: paid.overage,
      usage: isLevel ? usage : state.usage.plus(usage),
      grantUsage: isLevel ? paid.paidUsage : state.grantUsage.plus(paid.paidUsage),
    },
  };
}

function balanceAtStart(
  grant: Grant,
  balance: Decimal | undefined,
  atMs: number,
  mode: BurnDownInput['mode'],
): Decimal {
  if (!isActiveAt(grant, atMs)) return ZERO;
  const isFilled =
    mode === 'level' ||
    grant.effectiveAtMs === atMs ||
    (grant.recurrence !== undefined && isBoundary(grant.recurrence, atMs));
  return isFilled ? grant.amount : (balance ?? ZERO);
}

/**
 * Balances as they roll over; kept overage is paid at once, from what is left. Grants that end at this very instant do not
 * roll over, and so get no least balance that could pay for it: the segment behind the reset takes what they have away.
 */
function rollOver(grants: readonly Grant[], state: BalanceState, segment: Segment, keepsOverage: boolean): Step {
  const balancesAtStart = new Map(
    grants.map((grant) => {
      const balance = state.balances.get(grant.id) ?? ZERO;
      const goesOn = grant.effectiveAtMs < segment.fromMs && isActiveAt(grant, segment.fromMs);
      return [grant.id, goesOn ? rolledOver(grant, balance) : balance];
    }),
  );
  const overageAtStart = keepsOverage ? state.overage : ZERO;
  const paid = overageAtStart.isZero()
    ? { balancesAtEnd: balancesAtStart, overage: ZERO, grantUsages: [], paidUsage: ZERO }
    : pay(grants, balancesAtStart, overageAtStart);
  return {
    segment: { ...segment, balancesAtStart, overageAtStart, usage: ZERO, ...paid },
    state: { balances: paid.balancesAtEnd, overage: paid.overage, usage: ZERO, grantUsage: paid.paidUsage },
  };
}

function pay(
  grants: readonly Grant[],
  balances: ReadonlyMap<string, Decimal>,
  amount: Decimal,
): Pick<BurntSegment, 'balancesAtEnd' | 'overage' | 'grantUsages'> & { paidUsage: Decimal } {
  const balancesAtEnd = new Map(balances);
  const grantUsages: { grantId: string; usage: Decimal }[] = [];
  // A correction can make the usage of a segment negative; grants are not filled up by that.
  let rest = amount.isNegative() ? ZERO : amount;
  let paidUsage = ZERO;
  for (const { id } of grants) {
    const balance = balances.get(id) ?? ZERO;
    if (balance.lessThanOrEqualTo(0)) continue;
    const usage = balance.lessThan(rest) ? balance : rest;
    balancesAtEnd.set(id, balance.minus(usage));
    grantUsages.push({ grantId: id, usage });
    rest = rest.minus(usage);
    paidUsage = paidUsage.plus(usage);
  }
  return { balancesAtEnd, overage: rest, grantUsages, paidUsage };
}
