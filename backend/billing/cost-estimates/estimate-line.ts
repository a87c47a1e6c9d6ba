/** One line of an estimate: a rate card, a quantity and a period become totals, detailed lines and words. Pure. */

import type { RateCard } from '../../catalog/product-catalog/index.ts';
import {
  type DetailedLine,
  type ExplanationStep,
  feeOf,
  type PricingTerms,
  prorate,
  type RatedLine,
  rate,
  type Totals,
} from '../../catalog/rating/index.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Currency } from '../../platform/money.ts';
import type { Period } from '../../platform/period/index.ts';
import type { BilledPeriod } from './billing-periods.ts';
import type { EstimateLine } from './schema.ts';

/** What one line is made of. */
export interface LineInput {
  card: RateCard;
  feature: { id: string; key: string } | undefined;
  currency: Currency;
  /** In the meter's unit; without meaning for flat and free prices. */
  quantity: string;
  /** Missing for a whole billing period at no particular time. */
  billed: BilledPeriod | undefined;
  /** Whether a flat fee for a part of a period is a part of the fee. */
  isProrated: boolean;
}

/** A line as answers carry it, and its totals for summing. */
export interface RatedEstimateLine {
  line: EstimateLine;
  totals: Totals;
  currency: Currency;
}

/** @throws RatingError for terms that cannot be rated */
export function estimateLine(input: LineInput): RatedEstimateLine {
  const { card, feature, currency, billed } = input;
  const { terms, steps } = proratedTerms(input);
  const servicePeriod = billed && toText(billed.period);
  const rated = rate({ name: card.name, currency, terms, quantity: input.quantity, servicePeriod });
  const { usageDiscount } = rated;
  return {
    currency,
    totals: rated.totals,
    line: {
      rate_card: { key: card.key, name: card.name },
      ...(feature && { feature }),
      currency: currency.code,
      ...(servicePeriod && { service_period: servicePeriod }),
      usage_quantity_detail: quantityDetail(rated),
      ...(usageDiscount && { free_units: usageDiscount.quantity }),
      totals: toTotals(rated.totals),
      detailed_lines: rated.detailedLines.map((line) => toDetailedLine(line, steps)),
      explanation: [...steps, ...rated.explanation],
    },
  };
}

/** A flat fee for a part of its period becomes the part of the fee; one that rounds to nothing is free. */
function proratedTerms(input: LineInput): { terms: PricingTerms; steps: readonly ExplanationStep[] } {
  const { card, billed, currency } = input;
  const { terms } = card;
  const fee = feeOf(terms.price);
  if (fee === undefined || billed === undefined) return { terms, steps: [] };
  const { amount, isBillable, explanation } = prorate({
    amount: fee,
    currency,
    servicePeriod: toText(billed.period),
    fullServicePeriod: toText(billed.full),
    prorationEnabled: input.isProrated,
  });
  if (explanation.length === 0) return { terms, steps: [] };
  return {
    terms: isBillable ? { ...terms, price: { type: 'flat', amount } } : { price: { type: 'free' } },
    steps: explanation,
  };
}

function quantityDetail(rated: RatedLine): EstimateLine['usage_quantity_detail'] {
  return {
    raw_quantity: rated.rawQuantity,
    invoiced_quantity: rated.invoicedQuantity,
    ...(rated.displayUnit !== undefined && { display_unit: rated.displayUnit }),
  };
}

function toDetailedLine(
  line: DetailedLine,
  before: readonly ExplanationStep[],
): EstimateLine['detailed_lines'][number] {
  return {
    name: line.name,
    child_unique_reference_id: line.childUniqueReferenceId,
    category: line.category,
    payment_term: line.paymentTerm,
    quantity: line.quantity,
    unit_price: line.unitPrice,
    discounts: line.discounts.map(({ reason, amount }) => ({ reason, amount })),
    totals: toTotals(line.totals),
    explanation: [...before, ...line.explanation],
  };
}

/** Totals in the contract's names. */
export function toTotals(totals: Totals): EstimateLine['totals'] {
  return {
    amount: totals.amount,
    charges_total: totals.chargesTotal,
    discounts_total: totals.discountsTotal,
    credits_total: totals.creditsTotal,
    taxes_total: totals.taxesTotal,
    taxes_inclusive_total: totals.taxesInclusiveTotal,
    taxes_exclusive_total: totals.taxesExclusiveTotal,
    total: totals.total,
  };
}

function toText(period: Period) {
  return { from: formatInstant(period.fromMs), to: formatInstant(period.toMs) };
}
