import { Decimal } from '../../../platform/decimal.ts';
import type { LineDraft, RatingContext, Usage } from '../context.ts';
import { RatingError } from '../errors.ts';
import { multiplicationSteps, tierWords } from '../explain.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';
import { sortTiers } from './tiers.ts';

/**
 * All units at the price of the tier that the total reaches, so the total must be known: billed with the last part
 * only, and no earlier part may have billed usage. Source: OpenMeter billing/rating/service/rate/tieredvolume.go.
 * @throws RatingError `volume_split_not_supported` when earlier parts have a quantity
 */
export function priceVolume(price: Extract<Price, { type: 'volume' }>, usage: Usage, context: RatingContext): Priced {
  if (!usage.previousQuantity.isZero()) {
    throw new RatingError('volume_split_not_supported', 'a volume price cannot be billed in parts of a period');
  }
  if (!context.isLastPart) return { lines: [], reason: 'A volume price is billed when the period ends.' };
  const tier = sortTiers(price.tiers).find(({ upper }) => upper === undefined || usage.quantity.lte(upper));
  if (tier === undefined) throw new RatingError('invalid_pricing', 'price.tiers: no tier is open-ended');
  const what = `tier ${tier.number} (${tierWords(tier.lower, tier.upper)}), which the total reaches`;
  const lines: LineDraft[] = [];
  if (tier.flatPrice !== undefined) {
    const quantity = new Decimal(1);
    const unitPrice = tier.flatPrice;
    const title = `Flat price of ${what}`;
    const steps = multiplicationSteps('tier_flat_price', title, quantity, unitPrice, context.currency);
    const suffix = `flat price for tier ${tier.number}`;
    lines.push(usageLine(context, { suffix, reference: 'volume-flat-price', quantity, unitPrice, steps }));
  }
  if (tier.unitPrice !== undefined && !usage.quantity.isZero()) {
    const { quantity } = usage;
    const { unitPrice } = tier;
    const title = `Unit price of ${what}`;
    const steps = multiplicationSteps('tier_unit_price', title, quantity, unitPrice, context.currency);
    const suffix = `unit price for tier ${tier.number}`;
    lines.push(usageLine(context, { suffix, reference: 'volume-tiered-price', quantity, unitPrice, steps }));
  }
  return lines.length > 0 ? { lines } : { lines, reason: 'No usage to bill, and the tier has no flat price.' };
}
