import { z } from '@hono/zod-openapi';
import { Decimal, formatDecimal, ZERO } from '../../../platform/decimal.ts';
import { numericSchema } from '../../../platform/http/schemas.ts';
import { checkNotNegative, type Report } from '../checks.ts';
import type { LineDraft, RatingContext } from '../context.ts';
import { multiplicationSteps } from '../explanation-steps.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import { Quantity } from '../quantity.ts';
import type { PriceTier } from '../types.ts';
import { flat } from './flat.ts';
import { unit } from './unit.ts';
import { usageLine } from './usage-line.ts';

/**
 * A bound that the contract leaves open. A price list has some dozens of tiers; this is far beyond and keeps a price
 * small enough to be read, checked and stored at once.
 */
const MAX_TIERS = 1000;

const tierSchema = z
  .strictObject({
    up_to_amount: numericSchema.optional().openapi({ description: 'Inclusive; missing on the last, open-ended tier.' }),
    flat_price: flat.schema.optional(),
    unit_price: unit.schema.optional(),
  })
  .openapi('BillingPriceTier');
export const tiersSchema = z.array(tierSchema).min(1).max(MAX_TIERS);

/** A tier with its bounds: exclusive below, inclusive above. */
export interface Tier {
  /** Counted from 1, in ascending order. */
  number: number;
  lower: Quantity;
  /** Missing on the open-ended tier. */
  upper: Quantity | undefined;
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
  return sorted.map(({ upper, ...tier }, index) => ({
    ...tier,
    number: index + 1,
    lower: new Quantity(sorted[index - 1]?.upper ?? ZERO),
    upper: upper === undefined ? undefined : new Quantity(upper),
  }));
}

/** Reports what keeps tiers from covering every quantity once. */
export function checkTiers(tiers: readonly PriceTier[], report: Report): void {
  if (tiers.length === 0) {
    report('no_tiers', 'price.tiers', 'at least one tier is needed');
    return;
  }
  const bounds = new Set<string>();
  let openEnded = 0;
  for (const [index, tier] of tiers.entries()) {
    const field = `price.tiers.${index}`;
    if (tier.up_to_amount == null) {
      openEnded += 1;
    } else {
      const bound = checkNotNegative(tier.up_to_amount, `${field}.up_to_amount`, report);
      if (bound !== undefined) {
        if (bounds.has(bound.toFixed())) {
          report('duplicate_tier_bound', `${field}.up_to_amount`, 'each tier needs its own up_to_amount');
        }
        bounds.add(bound.toFixed());
      }
    }
    if (!tier.flat_price && !tier.unit_price) {
      report('tier_without_price', field, 'a tier needs a flat price, a unit price, or both');
    }
    if (tier.flat_price) checkNotNegative(tier.flat_price.amount, `${field}.flat_price.amount`, report);
    if (tier.unit_price) checkNotNegative(tier.unit_price.amount, `${field}.unit_price.amount`, report);
  }
  if (openEnded !== 1) {
    report('not_one_open_ended_tier', 'price.tiers', 'exactly one tier, the last, has no up_to_amount');
  }
}

/** How much of a quantity, counted from the start of the period, lies in the tier. */
export function withinTier(quantity: Quantity, { lower, upper }: Tier): Quantity {
  const capped = upper === undefined ? quantity : Quantity.min(quantity, upper);
  return Quantity.max(capped, lower).sub(lower);
}

/** "units above 5, up to 10": bounds are exclusive below and inclusive above. */
export function tierWords({ lower, upper }: Tier): string {
  const [above, upTo] = [lower, upper].map((bound) => bound && formatDecimal(bound.toDecimal()));
  if (upTo === undefined) return lower.isZero() ? 'all units' : `units above ${above}`;
  return lower.isZero() ? `units up to ${upTo}` : `units above ${above}, up to ${upTo}`;
}

/** The tier's flat price, charged once; no line where it has none. */
export function flatLines(
  { number, flatPrice }: Tier,
  { title, reference }: { title: string; reference: string },
  context: RatingContext,
): LineDraft[] {
  if (flatPrice === undefined) return [];
  const units = priceUnits(new Quantity(new Decimal(1)), Quantity.ZERO, flatPrice, context.currency);
  const steps = multiplicationSteps('tier_flat_price', title, units, context.currency);
  return [usageLine(context, { suffix: `flat price for tier ${number}`, reference, units, steps })];
}

function compareBounds(a: Decimal | undefined, b: Decimal | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a.cmp(b);
}
