import { Decimal, ZERO } from '../../../platform/decimal.ts';
import { readNumber } from '../numbers.ts';
import type { PriceTier } from '../types.ts';

/** A tier with its bounds: exclusive below, inclusive above. */
export interface Tier {
  /** Counted from 1, in ascending order. */
  number: number;
  lower: Decimal;
  /** Missing on the open-ended tier. */
  upper: Decimal | undefined;
  unitPrice: Decimal | undefined;
  flatPrice: Decimal | undefined;
}

/** The tiers in ascending order, the open-ended one last, whatever order they were written in. */
export function sortTiers(tiers: readonly PriceTier[]): readonly Tier[] {
  const unsorted = tiers.map((tier) => ({
    upper: tier.up_to_amount == null ? undefined : readNumber(tier.up_to_amount, 'up_to_amount'),
    unitPrice: tier.unit_price ? readNumber(tier.unit_price.amount, 'unit_price') : undefined,
    flatPrice: tier.flat_price ? readNumber(tier.flat_price.amount, 'flat_price') : undefined,
  }));
  const sorted = unsorted.sort((a, b) => compareBounds(a.upper, b.upper));
  return sorted.map((tier, index) => ({ ...tier, number: index + 1, lower: sorted[index - 1]?.upper ?? ZERO }));
}

/** The smaller of a quantity and the tier's upper bound. */
export function capAtTier(quantity: Decimal, tier: Tier): Decimal {
  return tier.upper === undefined ? quantity : Decimal.min(quantity, tier.upper);
}

function compareBounds(a: Decimal | undefined, b: Decimal | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a.cmp(b);
}
