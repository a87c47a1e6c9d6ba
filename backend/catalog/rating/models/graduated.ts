import { z } from '@hono/zod-openapi';
import { ZERO } from '../../../platform/decimal.ts';
import type { LineDraft, RatingContext, Usage } from '../context.ts';
import { multiplicationSteps } from '../explanation-steps.ts';
import { priceUnits } from '../price-units.ts';
import type { Quantity } from '../quantity.ts';
import type { PriceOf } from '../types.ts';
import type { Priced, PriceModel, Stretch } from './price-model.ts';
import { checkTiers, flatLines, sortTiers, type Tier, tiersSchema, tierWords, withinTier } from './tiers.ts';
import { usageLine } from './usage-line.ts';

/** Each unit at the price of its own tier. Source: OpenMeter billing/rating/service/rate/tieredgraduated.go. */
export const graduated = {
  schema: z.strictObject({ type: z.literal('graduated'), tiers: tiersSchema }).openapi('BillingPriceGraduated'),
  label: 'graduated price',
  charges: 'usage',
  canSplit: true,
  fixedAmount: () => undefined,
  stretches: ({ tiers }) => graduatedStretches(sortTiers(tiers)),
  check: ({ tiers }, report) => checkTiers(tiers, report),
  price: priceGraduated,
} satisfies PriceModel<'graduated'>;

/** What the tiers below come to, and the tier's flat price, stand in `base`. */
function graduatedStretches(tiers: readonly Tier[]): Stretch[] {
  let below = ZERO;
  return tiers.map(({ lower, upper, unitPrice: slope = ZERO, flatPrice = ZERO }) => {
    const base = below.add(flatPrice).sub(lower.times(slope));
    if (upper !== undefined) below = base.add(upper.times(slope));
    return { upTo: upper?.toDecimal(), base, slope };
  });
}

/** Counted from the start of the full period, so that a part of the period does not begin at the first tier again. */
function priceGraduated(price: PriceOf<'graduated'>, usage: Usage, context: RatingContext): Priced {
  const from = usage.previousQuantity;
  const to = from.add(usage.quantity);
  const lines: LineDraft[] = [];
  for (const tier of sortTiers(price.tiers)) {
    const previous = withinTier(from, tier);
    const quantity = withinTier(to, tier).sub(previous);
    // A period without any usage has one range of length zero, in tier 1.
    if (!quantity.isZero() || (tier.number === 1 && to.isZero())) {
      lines.push(...usageLines(tier, quantity, previous, context));
    }
    if (isEntered(tier, from, to, context)) lines.push(...flatTierLines(tier, context));
  }
  return lines.length > 0 ? { lines } : { lines, reason: 'No usage to bill.' };
}

/**
 * Whether a part of the period pays the tier's flat price. Tier 1 is entered by being there, also without usage, and
 * only by the first part; the others by the first unit above their lower bound.
 */
function isEntered(tier: Tier, from: Quantity, to: Quantity, context: RatingContext): boolean {
  if (tier.number > 1) return from.lte(tier.lower) && to.gt(tier.lower);
  return context.isFirstPart && (from.isZero() || tier.upper === undefined || from.lt(tier.upper));
}

function usageLines(tier: Tier, quantity: Quantity, previous: Quantity, context: RatingContext): LineDraft[] {
  const { number, unitPrice } = tier;
  if (unitPrice === undefined) return [];
  const units = priceUnits(quantity, previous, unitPrice, context.currency);
  const title = `Unit price of tier ${number} (${tierWords(tier)})`;
  const steps = multiplicationSteps('tier_unit_price', title, units, context.currency);
  const reference = `graduated-tiered-${number}-price-usage`;
  return [usageLine(context, { suffix: `usage price for tier ${number}`, reference, units, steps })];
}

function flatTierLines(tier: Tier, context: RatingContext): LineDraft[] {
  const { number } = tier;
  const title = `Flat price of tier ${number} (${tierWords(tier)}), charged once when it is entered`;
  return flatLines(tier, { title, reference: `graduated-tiered-${number}-flat-price` }, context);
}
