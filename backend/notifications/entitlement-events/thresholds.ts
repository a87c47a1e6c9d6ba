/** When a threshold is told. Pure. */
import { Decimal, type Decimal as DecimalValue } from '../../platform/decimal.ts';
import type { Threshold } from '../rules/index.ts';

/** What thresholds are held against. */
export interface Measured {
  /** The beginning of the usage period. */
  periodFromMs: number;
  usage: DecimalValue;
  balance: DecimalValue;
  /** All that grants give in the period. */
  limit: DecimalValue;
}

/** What is known of a threshold from before. */
export interface ThresholdState {
  periodFromMs: number;
  isCrossed: boolean;
  /** In this period. */
  crossings: number;
}

/** Inclusive, exact. Nothing of nothing is no percentage; anything of nothing is more than any. */
export function isReached({ type, value }: Threshold, { usage, balance, limit }: Measured): boolean {
  switch (type) {
    case 'usage_value':
      return usage.gte(value);
    case 'usage_percentage':
      return limit.lte(0) ? usage.gt(0) : usage.mul(100).gte(limit.mul(value));
    case 'balance_value':
      return balance.lte(value);
  }
}

/**
 * Once in a period, and again when it was not reached in between. One that is reached when it is first looked at is told:
 * people try a rule this way. @returns the state from now on, and whether it is told
 */
export function follow(
  threshold: Threshold,
  measured: Measured,
  known: ThresholdState | undefined,
): { state: ThresholdState; isTold: boolean } {
  const { periodFromMs } = measured;
  const before = known?.periodFromMs === periodFromMs ? known : { isCrossed: false, crossings: 0 };
  const isCrossed = isReached(threshold, measured);
  const isTold = isCrossed && !before.isCrossed;
  return { state: { periodFromMs, isCrossed, crossings: before.crossings + (isTold ? 1 : 0) }, isTold };
}

/** The furthest last: usage that rises passes them in this order. */
export function inOrder(thresholds: readonly Threshold[], { limit }: Pick<Measured, 'limit'>): Threshold[] {
  const asUsage = ({ type, value }: Threshold) => {
    if (type === 'usage_value') return new Decimal(value);
    return type === 'balance_value' ? limit.sub(value) : limit.mul(value).div(100);
  };
  return thresholds.toSorted((a, b) => asUsage(a).comparedTo(asUsage(b)));
}
