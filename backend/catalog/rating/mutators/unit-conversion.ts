import type { MeteredUsage, RatingContext, Usage } from '../context.ts';
import { conversionStep } from '../explanation-steps.ts';
import { Quantity } from '../quantity.ts';
import { convertForInvoice } from '../unit-config.ts';

/**
 * Metered units to billing units: the current and the previous quantity, each converted and rounded alone.
 * Source: OpenMeter billing/rating/service/mutator/unitconfig.go.
 */
export function convertUnits(metered: MeteredUsage, { unitConfig }: Pick<RatingContext, 'unitConfig'>): Usage {
  const none = { freeUnits: Quantity.ZERO, previousFreeUnits: Quantity.ZERO };
  if (unitConfig === undefined) {
    const previousQuantity = new Quantity(metered.previousQuantity);
    return { ...none, quantity: new Quantity(metered.quantity), previousQuantity, steps: [] };
  }
  const quantity = convertForInvoice(metered.quantity, unitConfig);
  const previousQuantity = convertForInvoice(metered.previousQuantity, unitConfig);
  const steps = [conversionStep(metered.quantity, quantity, unitConfig, 'Metered')];
  if (!metered.previousQuantity.isZero()) {
    steps.push(conversionStep(metered.previousQuantity, previousQuantity, unitConfig, 'Metered by earlier parts'));
  }
  return { ...none, quantity, previousQuantity, steps };
}
