import { readFileSync } from 'node:fs';
import type { PriceTier, PricingTerms, Split, UnitConfig } from '../../../../backend/catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../../../backend/platform/decimal.ts';

/** The vectors: expectations of OpenMeter's rating tests and Kong's documented examples, as data. */
export type Vector =
  | RateLineVector
  | UsageDiscountVector
  | UnitConfigVector
  | ProrationVector
  | RoundingVector
  | AllocationVector;

type Instants = [string, string];

export interface RateLineVector {
  kind: 'rate_line';
  name: string;
  source: string;
  currency: string;
  price: {
    type: PricingTerms['price']['type'];
    amount?: string;
    payment_term?: 'in_advance' | 'in_arrears';
    minimum_amount?: string;
    maximum_amount?: string;
    tiers?: { up_to: string | null; flat?: string; unit?: string }[];
  };
  quantity: string;
  previous_quantity: string;
  previously_billed_amount?: string;
  line_position: Split['position'];
  full_period?: Instants;
  line_period?: Instants;
  usage_discount?: string;
  percentage_discount?: string;
  unit_config?: UnitConfig;
  unit_config_enabled?: boolean;
  credits_to_apply?: string[];
  expected_lines?: ExpectedLine[];
  expected_total?: string;
  expected_net_quantity?: string;
  expected_usage_discount?: { quantity: string; pre_line_period_quantity: string | null };
  expect_error?: string;
}

export interface ExpectedLine {
  name: string;
  ref: string;
  quantity: string;
  unit_price: string;
  payment_term: string;
  category: string;
  total?: string;
  totals?: Record<'amount' | 'charges_total' | 'discounts_total' | 'credits_total' | 'total', string>;
  discounts?: { reason: string; amount: string }[];
  credits_applied?: string[];
}

export interface UsageDiscountVector {
  kind: 'usage_discount';
  name: string;
  source: string;
  usage_discount: string;
  quantity: string;
  previous_quantity: string;
  expected: {
    quantity: string;
    previous_quantity: string;
    discount_quantity: string;
    discount_pre_line_period_quantity?: string;
  };
}

export interface UnitConfigVector {
  kind: 'unit_config';
  name: string;
  source: string;
  unit_config: UnitConfig;
  quantity: string;
  expected_quantity: string;
}

export interface ProrationVector {
  kind: 'proration';
  name: string;
  source: string;
  currency: string;
  amount: string;
  service_period: Instants;
  full_service_period: Instants;
  pro_rating_enabled?: boolean;
  subscription_end_proration_mode?: 'bill_actual_period' | 'bill_full_period';
  expected_amount: string;
}

export interface RoundingVector {
  kind: 'rounding';
  name: string;
  source: string;
  currency: string;
  precision: number;
  amount: string;
  expected: string;
}

export interface AllocationVector {
  kind: 'allocation';
  name: string;
  source: string;
  unit: string;
  amount: string;
  weights: Record<string, string>;
  expected: Record<string, string>;
}

const FILE = new URL('../../../fixtures/vectors/pricing.json', import.meta.url);
export const vectors: readonly Vector[] = JSON.parse(readFileSync(FILE, 'utf8'));

export function vectorsOf<K extends Vector['kind']>(kind: K): Extract<Vector, { kind: K }>[] {
  return vectors.filter((vector): vector is Extract<Vector, { kind: K }> => vector.kind === kind);
}

/** The terms that a vector describes, as a rate card has them. */
export function termsOf(vector: RateLineVector): PricingTerms {
  const { minimum_amount, maximum_amount, payment_term } = vector.price;
  const discounts: NonNullable<PricingTerms['discounts']> = {};
  if (vector.percentage_discount !== undefined) discounts.percentage = vector.percentage_discount;
  if (vector.usage_discount !== undefined) discounts.usage = vector.usage_discount;
  return {
    price: priceOf(vector.price),
    payment_term,
    unit_config: vector.unit_config,
    commitments: { minimum_amount, maximum_amount },
    discounts,
  };
}

function priceOf(price: RateLineVector['price']): PricingTerms['price'] {
  const { amount = 'missing' } = price;
  switch (price.type) {
    case 'free':
      return { type: 'free' };
    case 'flat':
    case 'unit':
      return { type: price.type, amount };
    case 'graduated':
    case 'volume':
      return { type: price.type, tiers: (price.tiers ?? []).map(tierOf) };
  }
}

function tierOf(tier: { up_to: string | null; flat?: string; unit?: string }): PriceTier {
  return {
    up_to_amount: tier.up_to ?? undefined,
    flat_price: tier.flat === undefined ? undefined : { type: 'flat', amount: tier.flat },
    unit_price: tier.unit === undefined ? undefined : { type: 'unit', amount: tier.unit },
  };
}

/** One spelling for one number: "4.00" and "4" are the same amount. */
export function canonical(text: string): string {
  return formatDecimal(new Decimal(text));
}
