import { z } from '@hono/zod-openapi';
import { ZERO } from '../../../platform/decimal.ts';
import type { RatingContext, Usage } from '../context.ts';
import { RatingError } from '../errors.ts';
import { multiplicationSteps } from '../explanation-steps.ts';
import { priceUnits } from '../price-units.ts';
import { Quantity } from '../quantity.ts';
import type { PriceOf } from '../types.ts';
import type { Priced, PriceModel } from './price-model.ts';
import { checkTiers, flatLines, sortTiers, tiersSchema, tierWords } from './tiers.ts';
import { usageLine } from './usage-line.ts';

/**
 * All units at the price of the tier that the total reaches, so the total must be known.
 * Source: OpenMeter billing/rating/service/rate/tieredvolume.go.
 */
export const volume = {
  schema: z.strictObject({ type: z.literal('volume'), tiers: tiersSchema }).openapi('BillingPriceVolume'),
  label: 'volume price',
  charges: 'usage',
  canSplit: false,
  fixedAmount: () => undefined,
  stretches: ({ tiers }) =>
    sortTiers(tiers).map(({ upper, unitPrice = ZERO, flatPrice = ZERO }) => ({
      upTo: upper?.toDecimal(),
      base: flatPrice,
      slope: unitPrice,
    })),
  check: ({ tiers }, report) => checkTiers(tiers, report),
  price: priceVolume,
} satisfies PriceModel<'volume'>;

/**
 * Billed with the last part only, and no earlier part may have billed usage.
 * @throws RatingError `volume_split_not_supported` when earlier parts have a quantity
 */
function priceVolume(price: PriceOf<'volume'>, usage: Usage, context: RatingContext): Priced {
  if (!usage.previousQuantity.isZero()) {
    throw new RatingError('volume_split_not_supported', 'a volume price cannot be billed in parts of a period');
  }
  if (!context.isLastPart) return { lines: [], reason: 'A volume price is billed when the period ends.' };
  const tier = sortTiers(price.tiers).find(({ upper }) => upper === undefined || usage.quantity.lte(upper));
  if (tier === undefined) throw new RatingError('invalid_pricing', 'price.tiers: no tier is open-ended');
  const what = `tier ${tier.number} (${tierWords(tier)}), which the total reaches`;
  const lines = flatLines(tier, { title: `Flat price of ${what}`, reference: 'volume-flat-price' }, context);
  if (tier.unitPrice !== undefined && !usage.quantity.isZero()) {
    const units = priceUnits(usage.quantity, Quantity.ZERO, tier.unitPrice, context.currency);
    const steps = multiplicationSteps('tier_unit_price', `Unit price of ${what}`, units, context.currency);
    const suffix = `unit price for tier ${tier.number}`;
    lines.push(usageLine(context, { suffix, reference: 'volume-tiered-price', units, steps }));
  }
  return lines.length > 0 ? { lines } : { lines, reason: 'No usage to bill, and the tier has no flat price.' };
}
