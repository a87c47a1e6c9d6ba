import { Decimal } from '../../../platform/decimal.ts';
import type { RatingContext, Usage } from '../context.ts';
import { freeUnitsStep } from '../explain.ts';

/**
 * Free units are used up by the earlier parts of the period first, then by this one; counted in billing units.
 * Source: OpenMeter billing/rating/service/mutator/discountusage.go.
 */
export function takeFreeUnits(usage: Usage, context: RatingContext): Usage {
  const { freeUnits: granted } = context;
  if (granted === undefined) return usage;
  const previousFreeUnits = Decimal.min(granted, usage.previousQuantity);
  const freeUnits = Decimal.min(granted.sub(previousFreeUnits), usage.quantity);
  const quantity = usage.quantity.sub(freeUnits);
  return {
    quantity,
    previousQuantity: usage.previousQuantity.sub(previousFreeUnits),
    freeUnits,
    previousFreeUnits,
    steps: [...usage.steps, freeUnitsStep(granted, previousFreeUnits, freeUnits, quantity)],
  };
}
