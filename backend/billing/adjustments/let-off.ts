/**
 * Adjustments that nobody pays, gets or is billed for: written off, taken off a draft, or only listed. They are a part of
 * what a charge comes to, and of nothing that was paid. Pure.
 */
import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import type { Adjustment } from './types.ts';

export function isLetOff({ state }: Adjustment): boolean {
  return state === 'written_off' || state === 'reported';
}

/** Signed: what of adjustments was let off and has not come to nothing since. */
export function letOffOf(adjustments: readonly Adjustment[]): Decimal {
  return sumDecimals(adjustments.filter(isLetOff).map(({ amount }) => amount));
}

/**
 * A difference in the other direction takes away first what was let off: what nobody has paid is not given back, and what
 * nobody got is not charged back.
 * @param amount signed, as all of these are
 */
export function againstLetOff(letOff: Decimal, amount: Decimal): { letOff: Decimal; rest: Decimal } {
  if (letOff.isZero() || amount.isZero() || letOff.lt(0) === amount.lt(0)) return { letOff: ZERO, rest: amount };
  const taken = Decimal.min(letOff.abs(), amount.abs());
  const own = amount.lt(0) ? taken.neg() : taken;
  return { letOff: own, rest: amount.sub(own) };
}

/** What of an adjustment is let off with what it takes away. It counts nothing by itself. */
export function withoutQuantities(adjustment: Adjustment): Adjustment {
  const {
    quantityBefore: _,
    quantityAfter: __,
    partsAfter: ___,
    snapshot: ____,
    sinceSnapshot: _____,
    ...rest
  } = adjustment;
  return { ...rest, description: `It takes away what was let off before: ${rest.description}`, state: 'reported' };
}
