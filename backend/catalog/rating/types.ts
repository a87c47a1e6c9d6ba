/** What goes into rating and what comes out of it: plain data, every number a decimal text. */
import type { Currency } from '../../platform/money.ts';

export type PaymentTerm = 'in_advance' | 'in_arrears';

/** One tier of a graduated or volume price. At least one of the two prices is set. */
export interface PriceTier {
  /** Upper bound, inclusive, in billing units (after unit conversion); missing on the open-ended tier. */
  up_to_amount?: string | undefined;
  /** Charged once when the tier is entered. */
  flat_price?: { type: 'flat'; amount: string } | undefined;
  /** Charged for each unit; may be fractional, it is never rounded itself. */
  unit_price?: { type: 'unit'; amount: string } | undefined;
}

/** What each price model is made of, besides its `type`, in the shape of the v3 contract. Amounts are money. */
interface PriceFields {
  free: object;
  flat: { amount: string };
  unit: { amount: string };
  graduated: { tiers: readonly PriceTier[] };
  volume: { tiers: readonly PriceTier[] };
}

/** The price models; what is true of each stands in models/. */
export type PriceType = keyof PriceFields;
export type PriceOf<T extends PriceType> = { [K in T]: { type: K } & PriceFields[K] }[T];
export type Price = PriceOf<PriceType>;

/** How a metered quantity becomes billing units. */
export interface UnitConfig {
  operation: 'divide' | 'multiply';
  /** Greater than zero. */
  conversion_factor: string;
  /** Default "none". */
  rounding?: 'none' | 'ceiling' | 'floor' | 'half_up' | undefined;
  /** Decimal places kept by the rounding; default 0. */
  precision?: number | undefined;
  /** Shown beside the quantity ("GB"). */
  display_unit?: string | undefined;
}

/** What a rate card says about money, in the shape of the v3 contract: a stored rate card can be passed as it is. */
export interface PricingTerms {
  price: Price;
  /** Flat prices only; default "in_arrears", as in v3 (v1 defaults to "in_advance": write it out). */
  payment_term?: PaymentTerm | undefined;
  unit_config?: UnitConfig | undefined;
  commitments?: { minimum_amount?: string | undefined; maximum_amount?: string | undefined } | undefined;
  /** `percentage` 0 to 100; `usage` = free units in billing units. */
  discounts?: { percentage?: number | string | undefined; usage?: string | undefined } | undefined;
}

/** RFC 3339 instants, half-open. */
export interface TextPeriod {
  from: string;
  to: string;
}

/** Which part of the full service period a line bills; a line that is not split is `single`. */
export type SplitPosition = 'single' | 'first' | 'mid' | 'last';

/** The part that a line bills when its service period is billed in several invoices. */
export interface Split {
  position: SplitPosition;
  /** Metered quantity from the start of the full service period to the start of this part. */
  previousQuantity: string;
  /** Net amount (see netAmount) of the earlier parts that still exist; deleted and voided ones do not count. */
  previouslyBilledAmount: string;
  /** What of it was billed to reach the minimum (their charges): more usage uses it up. Default "0". */
  previousMinimumAmount?: string | undefined;
}

/** A credit to take, in the currency of the line. */
export interface Credit {
  /** Greater than zero. */
  amount: string;
  /** Comes back on each use of the credit, so that the caller can book it. */
  id?: string | undefined;
  description?: string | undefined;
}

/** One line to rate. */
export interface RateInput {
  /** Name of the line; detailed lines are named after it. */
  name: string;
  currency: Currency;
  terms: PricingTerms;
  /** Metered quantity of the line's own period, in the meter's unit; without meaning for flat and free prices. */
  quantity: string;
  /** Missing when the line bills the whole period. */
  split?: Split | undefined;
  /** TextPeriod of the line; copied to the detailed lines. */
  servicePeriod?: TextPeriod | undefined;
  /** The whole period that the line is a part of; default the line's own. */
  fullServicePeriod?: TextPeriod | undefined;
  /** Credits in the order in which they are to be taken. */
  credits?: readonly Credit[] | undefined;
  /** Stable ids of the rate card's discounts, for the child ids; default the kind of the discount. */
  discountCorrelationIds?: { percentage?: string | undefined; usage?: string | undefined } | undefined;
  /** False makes a unit_config an error instead of billing something else than was agreed. Default true. */
  unitConfigEnabled?: boolean | undefined;
}

/** Money of a line, rounded to the currency. total = amount + charges + exclusive taxes − discounts − credits. */
export interface Totals {
  amount: string;
  /** Minimum spend. */
  chargesTotal: string;
  discountsTotal: string;
  creditsTotal: string;
  /** Taxes are computed by the payment provider: always "0" here. */
  taxesTotal: string;
  taxesInclusiveTotal: string;
  taxesExclusiveTotal: string;
  total: string;
}

export interface AmountDiscount {
  reason: 'ratecard_percentage' | 'maximum_spend';
  amount: string;
  /** Stable within the detailed line. */
  childUniqueReferenceId: string;
}

/** Free units taken. */
export interface UsageDiscount {
  reason: 'ratecard_usage';
  /** Free units taken by this line, in billing units. */
  quantity: string;
  /** Free units that earlier parts of the period had taken; null when none. */
  preLinePeriodQuantity: string | null;
  childUniqueReferenceId: string;
}

export interface CreditApplied {
  amount: string;
  id?: string;
  description?: string;
}

export type ExplanationRule =
  | 'unit_conversion'
  | 'free_units'
  | 'earlier_usage'
  | 'flat_price'
  | 'unit_price'
  | 'tier_unit_price'
  | 'tier_flat_price'
  | 'rounding'
  | 'percentage_discount'
  | 'maximum_spend'
  | 'minimum_spend'
  | 'credits'
  | 'proration'
  | 'no_line';

/** One step of a calculation: which rule gave which number. */
export interface ExplanationStep {
  rule: ExplanationRule;
  /** A sentence in English with the numbers that went in and came out. */
  text: string;
  /** The number that came out; null when the rule gives none. */
  result: string | null;
}

export interface DetailedLine {
  name: string;
  /** Stable within the line, so that rating again updates the same detailed line. */
  childUniqueReferenceId: string;
  category: 'regular' | 'commitment';
  paymentTerm: PaymentTerm;
  quantity: string;
  /** Not rounded. */
  unitPrice: string;
  servicePeriod?: TextPeriod;
  discounts: readonly AmountDiscount[];
  creditsApplied: readonly CreditApplied[];
  totals: Totals;
  /** How `totals.total` came about, in the order of the rules. */
  explanation: readonly ExplanationStep[];
}

export interface RatedLine {
  detailedLines: readonly DetailedLine[];
  totals: Totals;
  /** The metered quantity, as it came in. */
  rawQuantity: string;
  /** What was billed: after unit conversion, its rounding, and free units. */
  invoicedQuantity: string;
  displayUnit?: string;
  usageDiscount: UsageDiscount | null;
  /** How the invoiced quantity came about, and why there is no detailed line when there is none. */
  explanation: readonly ExplanationStep[];
}
