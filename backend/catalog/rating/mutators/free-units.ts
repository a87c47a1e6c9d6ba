import type { RatingContext, Usage } from '../context.ts';
import { freeUnitsStep } from '../explanation-steps.ts';
import { Quantity } from '../quantity.ts';

/**
 * Free units are used up by the earlier parts of the period first, then by this one; counted in billing units.
 * Source: OpenMeter billing/rating/service/mutator/discountusage.go.
 */
export function takeFreeUnits(usage: Usage, context: RatingContext): Usage {
  if (context.freeUnits === undefined) return usage;
  const granted = new Quantity(context.freeUnits);
  const previousFreeUnits = Quantity.min(granted, usage.previousQuantity);
  const freeUnits = Quantity.min(granted.sub(previousFreeUnits), usage.quantity);
  const quantity = usage.quantity.sub(freeUnits);
  return {
    quantity,
    previousQuantity: usage.previousQuantity.sub(previousFreeUnits),
    freeUnits,
    previousFreeUnits,
    steps: [...usage.steps, freeUnitsStep(granted, previousFreeUnits, freeUnits, quantity)],
  };
}
