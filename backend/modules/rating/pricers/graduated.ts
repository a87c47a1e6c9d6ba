import { Decimal, ZERO } from '../../../platform/decimal.ts';
import type { LineDraft, RatingContext, Usage } from '../context.ts';
import { multiplicationSteps, tierWords } from '../explain.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';
import { capAtTier, sortTiers, type Tier } from './tiers.ts';

/**
 * Each unit at the price of its own tier, counted from the start of the full period, so that a part of the period does
 * not begin at the first tier again. Source: OpenMeter billing/rating/service/rate/tieredgraduated.go.
 */
export function priceGraduated(
  price: Extract<Price, { type: 'graduated' }>,
  usage: Usage,
  context: RatingContext,
): Priced {
  // A meter can fall in a period (corrections): nothing is billed then, and nothing is paid back.
  const from = Decimal.max(usage.previousQuantity, ZERO);
  const to = Decimal.max(usage.previousQuantity.add(usage.quantity), from);
  const lines: LineDraft[] = [];
  for (const tier of sortTiers(price.tiers)) {
    const quantity = capAtTier(to, tier).sub(Decimal.max(from, tier.lower));
    // A period without any usage has one range of length zero, in tier 1.
    if (quantity.gt(0) || (tier.number === 1 && to.isZero())) lines.push(...usageLines(tier, quantity, context));
    if (isEntered(tier, from, to, context)) lines.push(...flatLines(tier, context));
  }
  return lines.length > 0 ? { lines } : { lines, reason: 'No usage to bill.' };
}

/**
 * Whether a part of the period pays the tier's flat price. Tier 1 is entered by being there, also without usage, and
 * only by the first part; the others by the first unit above their lower bound.
 */
function isEntered(tier: Tier, from: Decimal, to: Decimal, context: RatingContext): boolean {
  if (tier.number > 1) return from.lte(tier.lower) && to.gt(tier.lower);
  return context.isFirstPart && (from.isZero() || tier.upper === undefined || from.lt(tier.upper));
}

function usageLines(tier: Tier, quantity: Decimal, context: RatingContext): LineDraft[] {
  const { number, unitPrice } = tier;
  if (unitPrice === undefined) return [];
  const title = `Unit price of tier ${number} (${tierWords(tier.lower, tier.upper)})`;
  const steps = multiplicationSteps('tier_unit_price', title, quantity, unitPrice, context.currency);
  const reference = `graduated-tiered-${number}-price-usage`;
  return [usageLine(context, { suffix: `usage price for tier ${number}`, reference, quantity, unitPrice, steps })];
}

function flatLines(tier: Tier, context: RatingContext): LineDraft[] {
  const { number, flatPrice: unitPrice } = tier;
  if (unitPrice === undefined) return [];
  const quantity = new Decimal(1);
  const title = `Flat price of tier ${number} (${tierWords(tier.lower, tier.upper)}), charged once when it is entered`;
  const steps = multiplicationSteps('tier_flat_price', title, quantity, unitPrice, context.currency);
  const reference = `graduated-tiered-${number}-flat-price`;
  return [usageLine(context, { suffix: `flat price for tier ${number}`, reference, quantity, unitPrice, steps })];
}
