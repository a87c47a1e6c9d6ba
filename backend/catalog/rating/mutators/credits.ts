import { Decimal, formatDecimal, ZERO } from '../../../platform/decimal.ts';
import type { CreditDraft, LineDraft, RatingContext } from '../context.ts';
import { RatingError } from '../errors.ts';
import { money, step } from '../explanation-steps.ts';
import { leftOf } from '../totals.ts';

/**
 * Credits pay the detailed lines in order, each up to its total; credits are taken in the order given.
 * Source: OpenMeter billing/rating/service/mutator/credits.go.
 * @throws RatingError `credits_not_consumed_fully` when more credit was given than there is to pay: the caller has
 * booked it as used, so it would be lost
 */
export function applyCredits(lines: readonly LineDraft[], context: RatingContext): readonly LineDraft[] {
  const queue = [...context.credits];
  const paid = lines.map((line) => payWithCredits(line, queue, context));
  if (queue.length > 0) {
    const unused = formatDecimal(Decimal.sum(ZERO, ...queue.map(({ amount }) => amount)));
    throw new RatingError('credits_not_consumed_fully', `credits of ${unused} ${context.currency.code} are left over`);
  }
  return paid;
}

/** Takes from the front of the queue, which it shortens. */
function payWithCredits(line: LineDraft, queue: CreditDraft[], { currency }: RatingContext): LineDraft {
  let left = leftOf(line, currency);
  const credits: CreditDraft[] = [];
  for (let credit = queue[0]; credit !== undefined && left.gt(0); credit = queue[0]) {
    const amount = Decimal.min(credit.amount, left);
    credits.push({ ...credit, amount });
    left = left.sub(amount);
    if (amount.eq(credit.amount)) queue.shift();
    else queue[0] = { ...credit, amount: credit.amount.sub(amount) };
  }
  if (credits.length === 0) return line;
  const taken = Decimal.sum(...credits.map(({ amount }) => amount));
  const sentence = `Credits pay ${money(taken, currency)}, ${money(left, currency)} are left to pay.`;
  return { ...line, credits, steps: [...line.steps, step('credits', sentence, left)] };
}
