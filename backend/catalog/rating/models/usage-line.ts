import type { LineDraft, RatingContext } from '../context.ts';
import type { PricedUnits } from '../price-units.ts';
import type { ExplanationStep } from '../types.ts';

/** A detailed line of a usage price: in arrears, for the period of the line. */
export function usageLine(
  context: RatingContext,
  parts: {
    suffix: string;
    reference: string;
    units: PricedUnits;
    steps: readonly ExplanationStep[];
  },
): LineDraft {
  return {
    name: `${context.name}: ${parts.suffix}`,
    childUniqueReferenceId: parts.reference,
    category: 'regular',
    paymentTerm: 'in_arrears',
    ...parts.units,
    servicePeriod: context.servicePeriod,
    discounts: [],
    credits: [],
    steps: parts.steps,
  };
}
