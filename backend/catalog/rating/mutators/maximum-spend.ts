import { Decimal } from '../../../platform/decimal.ts';
import { roundMoney } from '../../../platform/money.ts';
import type { LineDraft, RatingContext } from '../context.ts';
import { money, step } from '../explanation-steps.ts';
import { leftOf } from '../totals.ts';

/**
 * What lies above the maximum of the period becomes a discount on the line that crosses it, and on those after it.
 * Earlier parts of the period count. Source: OpenMeter billing/rating/service/mutator/commitments.go.
 */
export function capAtMaximum(lines: readonly LineDraft[], context: RatingContext): readonly LineDraft[] {
  const { maximumAmount: maximum, currency } = context;
  if (maximum === undefined) return lines;
  // What was billed to reach the minimum counts once it is known what that is used up by: see fillToMinimum.
  let billed = context.previouslyBilledAmount.sub(context.previousMinimumAmount);
  return lines.map((line) => {
    const price = leftOf(line, currency);
    const above = Decimal.max(billed.add(price).sub(maximum), 0);
    // A line is reduced to zero at most: what earlier parts billed too much is not paid back here.
    const amount = roundMoney(Decimal.min(above, Decimal.max(price, 0)), currency);
    billed = billed.add(price).sub(amount);
    if (amount.isZero()) return line;
    const left = price.sub(amount);
    const sentence =
      `At most ${money(maximum, currency)} a period: −${money(amount, currency)}, ` +
      `which brings the period to ${money(billed, currency)} and leaves ${money(left, currency)}.`;
    return {
      ...line,
      discounts: [...line.discounts, { reason: 'maximum_spend', amount, childUniqueReferenceId: 'maximum_spend' }],
      steps: [...line.steps, step('maximum_spend', sentence, left)],
    };
  });
}
