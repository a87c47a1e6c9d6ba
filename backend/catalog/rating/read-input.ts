/** From texts to numbers: what rating works on, read and checked once. */
import { Decimal, ZERO } from '../../platform/decimal.ts';
import type { CreditDraft, MeteredUsage, RatingContext } from './context.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';
import { findPricingProblems } from './pricing-problems.ts';
import type { RateInput } from './types.ts';

/**
 * Reads the numbers of an input.
 * @throws RatingError when the terms cannot be rated or a number is none
 */
export function readContext(input: RateInput): RatingContext {
  const { terms, split } = input;
  const blocking = findPricingProblems(terms).filter((problem) => problem.blocksRating);
  if (blocking.length > 0) {
    const message = blocking.map((problem) => `${problem.field}: ${problem.message}`).join('; ');
    throw new RatingError('invalid_pricing', message, blocking);
  }
  if (terms.unit_config && input.unitConfigEnabled === false) {
    throw new RatingError('unit_config_disabled', 'unit_config is set but switched off: billing without it is wrong');
  }
  const position = split?.position ?? 'single';
  const percentage = terms.discounts?.percentage;
  return {
    name: input.name,
    currency: input.currency,
    terms,
    paymentTerm: terms.payment_term ?? 'in_arrears',
    unitConfig: terms.unit_config ?? undefined,
    freeUnits: readOptional(terms.discounts?.usage, 'discounts.usage'),
    percentage: percentage === undefined ? undefined : readNumber(String(percentage), 'discounts.percentage'),
    minimumAmount: readOptional(terms.commitments?.minimum_amount, 'commitments.minimum_amount'),
    maximumAmount: readOptional(terms.commitments?.maximum_amount, 'commitments.maximum_amount'),
    previouslyBilledAmount: split ? readNumber(split.previouslyBilledAmount, 'previouslyBilledAmount') : ZERO,
    previousMinimumAmount: readOptional(split?.previousMinimumAmount, 'previousMinimumAmount') ?? ZERO,
    isFirstPart: position === 'single' || position === 'first',
    isLastPart: position === 'single' || position === 'last',
    servicePeriod: input.servicePeriod,
    fullServicePeriod: input.fullServicePeriod ?? input.servicePeriod,
    credits: (input.credits ?? []).map(readCredit),
    percentageReference: discountReference(input.discountCorrelationIds?.percentage ?? 'percentage'),
    usageReference: discountReference(input.discountCorrelationIds?.usage ?? 'usage'),
  };
}

export function readUsage({ quantity, split }: RateInput): MeteredUsage {
  return {
    quantity: readNumber(quantity, 'quantity'),
    previousQuantity: split ? readNumber(split.previousQuantity, 'previousQuantity') : ZERO,
  };
}

/**
 * What of the metered quantities is billed. A meter can fall (corrections, negative values), also below zero: nothing is
 * billed then, and nothing is paid back that was never billed.
 */
export function billableUsage(metered: MeteredUsage): MeteredUsage {
  const previousQuantity = Decimal.max(metered.previousQuantity, ZERO);
  const until = Decimal.max(metered.previousQuantity.add(metered.quantity), previousQuantity);
  return { quantity: until.sub(previousQuantity), previousQuantity };
}

function readCredit(credit: {
  amount: string;
  id?: string | undefined;
  description?: string | undefined;
}): CreditDraft {
  const amount = readNumber(credit.amount, 'credit amount');
  if (amount.lte(0)) throw new RatingError('invalid_number', `a credit must be greater than zero: ${credit.amount}`);
  return { amount, id: credit.id, description: credit.description };
}

function readOptional(text: string | undefined, what: string): Decimal | undefined {
  return text === undefined ? undefined : readNumber(text, what);
}

/** Child id of a rate card's discount. Source: OpenMeter billing/rating/service/mutator/discountpercentage.go. */
function discountReference(correlationId: string): string {
  return `rateCardDiscount/correlationID=${correlationId}`;
}
