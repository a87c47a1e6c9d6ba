/** What the price models and mutators work on: the input with its numbers read, and lines before they are written out. */
import type { Decimal } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { Quantity } from './quantity.ts';
import type { ExplanationStep, PaymentTerm, PricingTerms, TextPeriod, UnitConfig } from './types.ts';

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
  servicePeriod: TextPeriod | undefined;
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
  servicePeriod: TextPeriod | undefined;
  fullServicePeriod: TextPeriod | undefined;
  credits: readonly CreditDraft[];
  percentageReference: string;
  usageReference: string;
}

/** The quantities as they were metered. */
export interface MeteredUsage {
  quantity: Decimal;
  previousQuantity: Decimal;
}
