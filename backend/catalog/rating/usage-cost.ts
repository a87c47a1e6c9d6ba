import { Decimal, ZERO } from '../../platform/decimal.ts';
import { type Stretch, stretchesOf } from './models/index.ts';
import { readNumber } from './numbers.ts';
import { Quantity } from './quantity.ts';
import type { PricingTerms } from './types.ts';
import { convertForInvoice } from './unit-config.ts';

/**
 * What usage costs while it goes on: the amount of a metered quantity, not rounded, after discounts and up to the maximum.
 * A minimum is left out: it is owed when the period ends, whatever was used.
 */
export interface UsageCost {
  /** Of a metered quantity since the period began. */
  amountAt(quantity: Decimal): Decimal;
  /** What whole units after a quantity come to at most on the way: with a volume price more can cost less. */
  dearestWithin(used: Decimal, units: Decimal): Decimal;
  /**
   * The most whole units after a quantity of which none brings the amount above the bound, not even for a while.
   * @returns undefined: any number
   */
  unitsWithin(used: Decimal, bound: Decimal): Decimal | undefined;
}

const ONE = new Decimal(1);
const HUNDRED = new Decimal(100);

/** @throws RatingError `invalid_number` */
export function usageCost(terms: PricingTerms): UsageCost {
  const { unit_config, discounts, commitments } = terms;
  const percentage = readNumber(String(discounts?.percentage ?? 0), 'discounts.percentage');
  const freeUnits = new Quantity(readNumber(discounts?.usage ?? '0', 'discounts.usage'));
  const maximum = commitments?.maximum_amount;
  const share = ONE.sub(percentage.div(HUNDRED));
  const stretches = stretchesOf(terms.price).map(({ upTo, base, slope }) => ({
    upTo: upTo === undefined ? undefined : new Quantity(upTo),
    base: base.mul(share),
    slope: slope.mul(share),
  }));
  return new Walk(
    stretches,
    (quantity) => {
      const units = Decimal.max(quantity, ZERO);
      const converted = unit_config ? convertForInvoice(units, unit_config) : new Quantity(units);
      return Quantity.max(converted.sub(freeUnits), Quantity.ZERO);
    },
    maximum === undefined ? undefined : readNumber(maximum, 'commitments.maximum_amount'),
  );
}

interface PricedStretch extends Omit<Stretch, 'upTo'> {
  upTo: Quantity | undefined;
}

/** Walks up the stretches. Conversions may round, so which units lie in a stretch is found by trying, not by solving. */
class Walk implements UsageCost {
  readonly #stretches: readonly PricedStretch[];
  readonly #billed: (quantity: Decimal) => Quantity;
  readonly #maximum: Decimal | undefined;

  constructor(
    stretches: readonly PricedStretch[],
    billed: (quantity: Decimal) => Quantity,
    maximum: Decimal | undefined,
  ) {
    this.#stretches = stretches;
    this.#billed = billed;
    this.#maximum = maximum;
  }

  amountAt(quantity: Decimal): Decimal {
    const billed = this.#billed(quantity);
    const stretch = this.#stretches.find(({ upTo }) => upTo === undefined || billed.lte(upTo));
    return stretch === undefined ? ZERO : this.#capped(amountIn(stretch, billed));
  }

  dearestWithin(used: Decimal, units: Decimal): Decimal {
    let dearest = Decimal.max(this.amountAt(used), this.amountAt(used.add(units)));
    for (const { upTo } of this.#stretches) {
      if (upTo === undefined) break;
      const last = lastWhole(units, (more) => this.#billed(used.add(more)).lte(upTo));
      if (last !== undefined) dearest = Decimal.max(dearest, this.amountAt(used.add(last)));
    }
    return dearest;
  }

  unitsWithin(used: Decimal, bound: Decimal): Decimal | undefined {
    if (this.amountAt(used).gt(bound)) return ZERO;
    if (this.#maximum?.lte(bound) === true) return undefined;
    let reached = ZERO;
    for (const { upTo, ...line } of this.#stretches) {
      const isIn = (units: Decimal) => upTo === undefined || this.#billed(used.add(units)).lte(upTo);
      if (!isIn(reached.add(ONE))) continue;
      const isPayable = (units: Decimal) => isIn(units) && amountIn(line, this.#billed(used.add(units))).lte(bound);
      if (!isPayable(reached.add(ONE))) return reached;
      if (upTo === undefined && line.slope.isZero()) return undefined;
      reached = farthest(reached.add(ONE), isPayable);
      if (isIn(reached.add(ONE))) return reached;
    }
    return this.#stretches.length === 0 ? undefined : reached;
  }

  #capped(amount: Decimal): Decimal {
    return this.#maximum === undefined ? amount : Decimal.min(amount, this.#maximum);
  }
}

function amountIn({ base, slope }: Pick<Stretch, 'base' | 'slope'>, billed: Quantity): Decimal {
  return base.add(billed.times(slope));
}

/** The last of a whole number of units that are all right up to some point; undefined: not even none is. */
function lastWhole(most: Decimal, isRight: (units: Decimal) => boolean): Decimal | undefined {
  if (!isRight(ZERO)) return undefined;
  return isRight(most) ? most : between(ZERO, most, isRight);
}

/** No gateway counts farther than this many units ahead. */
const FARTHEST = new Decimal('1e18');

/** The last one that is right, from one that is on: twice as far each time, and then back by halves. */
function farthest(from: Decimal, isRight: (units: Decimal) => boolean): Decimal {
  let [right, wrong] = [from, from.mul(2)];
  while (isRight(wrong)) {
    if (wrong.gt(FARTHEST)) return wrong;
    [right, wrong] = [wrong, wrong.mul(2)];
  }
  return between(right, wrong, isRight);
}

function between(right: Decimal, wrong: Decimal, isRight: (units: Decimal) => boolean): Decimal {
  let [low, high] = [right, wrong];
  while (high.sub(low).gt(1)) {
    const middle = low.add(high).div(2).floor();
    if (isRight(middle)) low = middle;
    else high = middle;
  }
  return low;
}
