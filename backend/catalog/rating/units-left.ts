import { Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import { readNumber } from './numbers.ts';
import type { PricingTerms } from './types.ts';
import { usageCost } from './usage-cost.ts';

/** A price that usage runs up, and how much was used since its period began, in the meter's unit. */
export interface RunningUsage {
  terms: PricingTerms;
  quantity: string;
}

/** How much more can be used. */
export interface UnitsLeft {
  /** Whole units of the meter, as text; undefined: any number. */
  units: string | undefined;
  /** What the next unit costs, not rounded. */
  nextUnitCost: string;
}

/** What a quantity costs since the period began, not rounded; a minimum is owed at the end only, and left out. */
export function runningAmount({ terms, quantity }: RunningUsage): string {
  return formatDecimal(usageCost(terms).amountAt(readNumber(quantity, 'quantity')));
}

/**
 * The most whole units that can be used without spending more than is left, after any of them: a customer is not let
 * through debt to reach a cheaper tier. Each unit is charged by all of the prices.
 * @throws RatingError `invalid_number`
 */
export function unitsLeft(running: readonly RunningUsage[], amountLeft: string): UnitsLeft {
  const left = readNumber(amountLeft, 'amount left');
  const charges = running.map(({ terms, quantity }) => {
    const [cost, used] = [usageCost(terms), readNumber(quantity, 'quantity')];
    return { cost, used, spent: cost.amountAt(used) };
  });
  const next = charges.map(({ cost, used, spent }) => cost.amountAt(used.add(1)).sub(spent));
  const nextUnitCost = formatDecimal(sumDecimals(next));
  // What is free is free to nobody who owes something.
  if (left.lt(0)) return { units: '0', nextUnitCost };
  const each = charges.map(({ cost, used, spent }) => cost.unitsWithin(used, spent.add(left)));
  const bounds = each.filter((units) => units !== undefined);
  if (charges.length > 1) return { units: together(charges, bounds, left), nextUnitCost };
  const [units] = bounds;
  return { units: units === undefined ? undefined : formatDecimal(units), nextUnitCost };
}

type Charge = { cost: ReturnType<typeof usageCost>; used: Decimal; spent: Decimal };

/** Several prices take from the same: each is reckoned with the dearest that it comes to on the way. */
function together(charges: readonly Charge[], bounds: readonly Decimal[], left: Decimal): string | undefined {
  const isPayable = (units: Decimal) =>
    sumDecimals(charges.map(({ cost, used, spent }) => cost.dearestWithin(used, units).sub(spent))).lte(left);
  if (bounds.length === 0 && isPayable(MANY)) return undefined;
  let [low, high] = [ZERO, Decimal.min(...bounds, MANY)];
  if (isPayable(high)) return formatDecimal(high);
  while (high.sub(low).gt(1)) {
    const middle = low.add(high).div(2).floor();
    if (isPayable(middle)) low = middle;
    else high = middle;
  }
  return formatDecimal(low);
}

/** As good as any number. */
const MANY = new Decimal('1e18');
