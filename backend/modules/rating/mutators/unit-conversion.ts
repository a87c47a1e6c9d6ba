import type { RatingContext, Usage } from '../context.ts';
import { conversionStep } from '../explain.ts';
import { convertForInvoice } from '../unit-config.ts';

/**
 * Metered units to billing units: the current and the previous quantity, each converted and rounded alone.
 * Source: OpenMeter billing/rating/service/mutator/unitconfig.go.
 */
export function convertUnits(usage: Usage, context: RatingContext): Usage {
  const { unitConfig } = context;
  if (unitConfig === undefined) return usage;
  const quantity = convertForInvoice(usage.quantity, unitConfig);
  const previousQuantity = convertForInvoice(usage.previousQuantity, unitConfig);
  const steps = [...usage.steps, conversionStep(usage.quantity, quantity, unitConfig, 'Metered')];
  if (!usage.previousQuantity.isZero()) {
    steps.push(conversionStep(usage.previousQuantity, previousQuantity, unitConfig, 'Metered by earlier parts'));
  }
  return { ...usage, quantity, previousQuantity, steps };
}
