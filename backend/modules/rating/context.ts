/** What the price models and mutators work on: the input with its numbers read, and lines before they are written out. */
import { Decimal, ZERO } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';
import { findPricingProblems } from './pricing-problems.ts';
import type { Quantity } from './quantity.ts';
import type { ExplanationStep, PaymentTerm, Period, PricingTerms, RateInput, UnitConfig } from './types.ts';

/** The quantities of a line on their way through unit conversion and free units. */
export interface Usage {
  quantity: Quantity;
  previousQuantity: Quantity;
  /** Free units taken by this line, and by the earlier parts of its period. */
  freeUnits: Quantity;
  previousFreeUnits: Quantity;
  steps: readonly ExplanationStep[];
}

export interface DiscountDraft {
  reason: 'ratecard_percentage' | 'maximum_spend';
  amount: Decimal;
  childUniqueReferenceId: string;
}

export interface CreditDraft {
  amount: Decimal;
  id: string | undefined;
  description: string | undefined;
}

export interface LineDraft {
  name: string;
  childUniqueReferenceId: string;
  category: 'regular' | 'commitment';
  paymentTerm: PaymentTerm;
  quantity: Quantity;
  unitPrice: Decimal;
  /** Before discounts, rounded: what the period comes to with this part, less `previousPrice`. */
  price: Decimal;
  /** What the earlier parts of the period come to in this detailed line, before discounts, rounded. */
  previousPrice: Decimal;
  servicePeriod: Period | undefined;
  discounts: readonly DiscountDraft[];
  credits: readonly CreditDraft[];
  steps: readonly ExplanationStep[];
}

export interface RatingContext {
  name: string;
  currency: Currency;
  terms: PricingTerms;
  paymentTerm: PaymentTerm;
  unitConfig: UnitConfig | undefined;
  freeUnits: Decimal | undefined;
  percentage: Decimal | undefined;
  minimumAmount: Decimal | undefined;
  maximumAmount: Decimal | undefined;
  previouslyBilledAmount: Decimal;
  previousMinimumAmount: Decimal;
  /** A line that is not split is both. */
  isFirstPart: boolean;
  isLastPart: boolean;
  servicePeriod: Period | undefined;
  fullServicePeriod: Period | undefined;
  credits: readonly CreditDraft[];
  percentageReference: string;
  usageReference: string;
}

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

/** The quantities as they were metered. */
export interface MeteredUsage {
  quantity: Decimal;
  previousQuantity: Decimal;
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
