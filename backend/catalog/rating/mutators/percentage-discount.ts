import { type Decimal, formatDecimal } from '../../../platform/decimal.ts';
import { roundMoney } from '../../../platform/money.ts';
import type { LineDraft, RatingContext } from '../context.ts';
import { money, step } from '../explanation-steps.ts';

/**
 * A percentage off each detailed line, rounded. It runs before the maximum, so a capped line is not discounted below
 * the cap again, and before the minimum, which it therefore leaves whole.
 * Source: OpenMeter billing/rating/service/mutator/discountpercentage.go.
 */
export function discountByPercentage(lines: readonly LineDraft[], context: RatingContext): readonly LineDraft[] {
  const { percentage, currency } = context;
  if (percentage === undefined) return lines;
  return lines.map((line) => {
    const { price, previousPrice } = line;
    const discountOn = (whole: Decimal) => roundMoney(whole.mul(percentage).div(100), currency);
    // Of the period so far, as the price itself: discounts of the parts add up to the discount on the whole.
    const amount = discountOn(previousPrice.add(price)).sub(discountOn(previousPrice));
    if (amount.isZero()) return line;
    const sentence =
      `${formatDecimal(percentage)} % discount on ${money(price, currency)}: −${money(amount, currency)}, ` +
      `leaves ${money(price.sub(amount), currency)}.`;
    return {
      ...line,
      discounts: [
        ...line.discounts,
        { reason: 'ratecard_percentage', amount, childUniqueReferenceId: context.percentageReference },
      ],
      steps: [...line.steps, step('percentage_discount', sentence, price.sub(amount))],
    };
  });
}
