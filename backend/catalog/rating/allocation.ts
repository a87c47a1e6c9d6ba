import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { type Currency, isPayable } from '../../platform/money.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';

/** Someone or something that bears a part of an amount. */
export interface Weight {
  key: string;
  /** Not negative; only the proportions matter. */
  weight: string;
}

export interface Share {
  key: string;
  amount: string;
}

/**
 * Splits an amount by weights so that the shares sum up to it exactly: each share is cut to the currency's smallest
 * unit, the units left over go to the largest remainders, among equal ones in the order given. A negative amount is
 * split like its opposite. Source: OpenMeter pkg/currencyx allocation.
 * @returns the shares in the order of the weights, without those that are zero
 * @throws RatingError `invalid_allocation` when the amount cannot be paid in the currency, a weight is negative, or no
 * weight is positive; `invalid_number`
 */
export function allocate(amount: string, weights: readonly Weight[], currency: Currency): readonly Share[] {
  const total = readNumber(amount, 'amount');
  if (!isPayable(total, currency)) {
    throw new RatingError('invalid_allocation', `${amount} has more digits than ${currency.code}`);
  }
  const parts = weights.map(({ key, weight }) => ({ key, weight: readWeight(weight) }));
  const weightSum = Decimal.sum(ZERO, ...parts.map(({ weight }) => weight));
  if (weightSum.isZero()) throw new RatingError('invalid_allocation', 'no weight is positive');
  const unit = new Decimal(10).pow(-currency.digits);
  const units = total.abs().div(unit);
  // Whole units and rests are kept apart, so that equal remainders compare as equal.
  const shares = parts.map(({ key, weight }, order) => {
    const weighted = units.mul(weight);
    return { key, order, whole: weighted.divToInt(weightSum), rest: weighted.mod(weightSum) };
  });
  const leftOver = units.sub(Decimal.sum(ZERO, ...shares.map(({ whole }) => whole)));
  const byRest = [...shares].sort((a, b) => b.rest.cmp(a.rest) || a.order - b.order);
  const luckyOrders = new Set(byRest.filter((_, rank) => leftOver.gt(rank)).map(({ order }) => order));
  const sign = total.isNegative() ? -1 : 1;
  return shares
    .map(({ key, order, whole }) => ({ key, whole: luckyOrders.has(order) ? whole.add(1) : whole }))
    .filter(({ whole }) => !whole.isZero())
    .map(({ key, whole }) => ({ key, amount: formatDecimal(whole.mul(unit).mul(sign)) }));
}

function readWeight(text: string): Decimal {
  const weight = readNumber(text, 'weight');
  if (weight.lt(0)) throw new RatingError('invalid_allocation', `a weight must not be negative: ${text}`);
  return weight;
}
