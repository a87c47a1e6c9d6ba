import { Decimal, ZERO } from '../../../platform/decimal.ts';
import { roundMoney } from '../../../platform/money.ts';
import type { LineDraft, RatingContext } from '../context.ts';
import { money, roundingSteps, step } from '../explanation-steps.ts';
import { Quantity } from '../quantity.ts';
import { leftOf } from '../totals.ts';

/**
 * What the period lacks to its minimum, as a line of its own, with the last part of the period. Where the period goes on
 * after its last part was billed (an end that was taken back), usage uses up what was billed to reach the minimum: the
 * line is negative then.
 * Source: OpenMeter billing/rating/service/mutator/commitments.go (which knows no period that goes on).
 */
export function fillToMinimum(lines: readonly LineDraft[], context: RatingContext): readonly LineDraft[] {
  const { minimumAmount: minimum, currency, previousMinimumAmount: filled } = context;
  if (minimum === undefined) return lines;
  const used = Decimal.sum(context.previouslyBilledAmount.sub(filled), ...lines.map((line) => leftOf(line, currency)));
  const missing = Decimal.max(minimum.sub(used), ZERO);
  // Before the end nobody knows what will be missing: no more is asked for, but what is used up is.
  const wanted = context.isLastPart ? missing : Decimal.min(missing, filled);
  const price = roundMoney(wanted, currency).sub(filled);
  if (price.isZero()) return lines;
  const unitPrice = wanted.sub(filled);
  const before = filled.isZero() ? '' : ` Earlier parts of the period were filled up with ${money(filled, currency)}.`;
  const sentence =
    `At least ${money(minimum, currency)} a period: ${money(used, currency)} are billed, ` +
    `${money(wanted, currency)} are missing.${before}`;
  const units = { quantity: new Quantity(new Decimal(1)), unitPrice, price, previousPrice: ZERO };
  const line: LineDraft = {
    name: `${context.name}: minimum spend`,
    childUniqueReferenceId: 'min-spend',
    category: 'commitment',
    paymentTerm: 'in_arrears',
    ...units,
    servicePeriod: context.fullServicePeriod,
    discounts: [],
    credits: [],
    steps: [step('minimum_spend', sentence, unitPrice), ...roundingSteps(unitPrice, units, currency)],
  };
  return [...lines, line];
}
