import { Decimal } from '../../../platform/decimal.ts';
import type { LineDraft, RatingContext } from '../context.ts';
import { money, roundingSteps, step } from '../explain.ts';
import { leftOf } from '../totals.ts';

/**
 * What the period lacks to its minimum, as a line of its own, with the last part of the period.
 * Source: OpenMeter billing/rating/service/mutator/commitments.go.
 */
export function fillToMinimum(lines: readonly LineDraft[], context: RatingContext): readonly LineDraft[] {
  const { minimumAmount: minimum, currency } = context;
  if (minimum === undefined || !context.isLastPart) return lines;
  const billed = Decimal.sum(context.previouslyBilledAmount, ...lines.map((line) => leftOf(line, currency)));
  if (billed.gte(minimum)) return lines;
  const unitPrice = minimum.sub(billed);
  const sentence =
    `At least ${money(minimum, currency)} a period: ${money(billed, currency)} are billed, ` +
    `${money(unitPrice, currency)} are missing.`;
  const line: LineDraft = {
    name: `${context.name}: minimum spend`,
    childUniqueReferenceId: 'min-spend',
    category: 'commitment',
    paymentTerm: 'in_arrears',
    quantity: new Decimal(1),
    unitPrice,
    servicePeriod: context.fullServicePeriod,
    discounts: [],
    credits: [],
    steps: [step('minimum_spend', sentence, unitPrice), ...roundingSteps(unitPrice, currency)],
  };
  return [...lines, line];
}
