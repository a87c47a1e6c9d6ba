import type { Decimal } from '../../platform/decimal.ts';
import type { PricingProblem } from './errors.ts';
import { parseNumber } from './numbers.ts';
import { MAX_QUANTITY_DIGITS } from './quantity.ts';
import type { PriceTier, PricingTerms, UnitConfig } from './types.ts';

type Report = (rule: PricingProblem['rule'], field: string, message: string, blocksRating?: boolean) => void;

/**
 * Everything that is wrong with the money side of a rate card. Source: OpenMeter openmeter/productcatalog/price.go,
 * discount.go and errors.go.
 * @returns an empty list when the terms can be published
 */
export function findPricingProblems(terms: PricingTerms): readonly PricingProblem[] {
  const problems: PricingProblem[] = [];
  const report: Report = (rule, field, message, blocksRating = true) => {
    problems.push({ rule, field, message, blocksRating });
  };
  checkPrice(terms, report);
  checkCommitments(terms, report);
  checkDiscounts(terms, report);
  if (terms.unit_config) checkUnitConfig(terms.unit_config, terms, report);
  return problems;
}

function checkPrice({ price }: PricingTerms, report: Report): void {
  switch (price.type) {
    case 'free':
      return;
    case 'flat':
    case 'unit':
      checkNotNegative(price.amount, 'price.amount', report);
      return;
    case 'package':
      checkNotNegative(price.amount, 'price.amount', report);
      checkPositive(price.quantity_per_package, 'price.quantity_per_package', report);
      return;
    case 'dynamic':
      if (price.multiplier !== undefined) checkNotNegative(price.multiplier, 'price.multiplier', report);
      return;
    case 'graduated':
    case 'volume':
      checkTiers(price.tiers, report);
  }
}

function checkTiers(tiers: readonly PriceTier[], report: Report): void {
  if (tiers.length === 0) {
    report('no_tiers', 'price.tiers', 'at least one tier is needed');
    return;
  }
  const bounds = new Set<string>();
  let openEnded = 0;
  for (const [index, tier] of tiers.entries()) {
    const field = `price.tiers.${index}`;
    if (tier.up_to_amount == null) {
      openEnded += 1;
    } else {
      const bound = checkNotNegative(tier.up_to_amount, `${field}.up_to_amount`, report);
      if (bound !== undefined) {
        if (bounds.has(bound.toFixed())) {
          report('duplicate_tier_bound', `${field}.up_to_amount`, 'each tier needs its own up_to_amount');
        }
        bounds.add(bound.toFixed());
      }
    }
    if (!tier.flat_price && !tier.unit_price) {
      report('tier_without_price', field, 'a tier needs a flat price, a unit price, or both');
    }
    if (tier.flat_price) checkNotNegative(tier.flat_price.amount, `${field}.flat_price.amount`, report);
    if (tier.unit_price) checkNotNegative(tier.unit_price.amount, `${field}.unit_price.amount`, report);
  }
  if (openEnded !== 1) {
    report('not_one_open_ended_tier', 'price.tiers', 'exactly one tier, the last, has no up_to_amount');
  }
}

function checkCommitments({ price, commitments }: PricingTerms, report: Report): void {
  if (commitments?.minimum_amount === undefined && commitments?.maximum_amount === undefined) return;
  if (price.type === 'flat' || price.type === 'free') {
    report('commitments_with_flat_price', 'commitments', 'only usage prices can have commitments', false);
  }
  const { minimum_amount: minimumText, maximum_amount: maximumText } = commitments;
  const minimum =
    minimumText === undefined ? undefined : checkNotNegative(minimumText, 'commitments.minimum_amount', report);
  const maximum =
    maximumText === undefined ? undefined : checkNotNegative(maximumText, 'commitments.maximum_amount', report);
  if (minimum !== undefined && maximum !== undefined && minimum.gt(maximum)) {
    report('minimum_above_maximum', 'commitments.minimum_amount', 'the minimum must not be above the maximum');
  }
}

function checkDiscounts({ price, discounts }: PricingTerms, report: Report): void {
  if (discounts?.percentage !== undefined) {
    const percentage = parseNumber(String(discounts.percentage));
    if (percentage === undefined || percentage.lt(0) || percentage.gt(100)) {
      report('percentage_out_of_range', 'discounts.percentage', 'percentage must be between 0 and 100');
    }
  }
  if (discounts?.usage !== undefined) {
    checkNotNegative(discounts.usage, 'discounts.usage', report);
    if (price.type === 'flat' || price.type === 'free') {
      report('usage_discount_with_flat_price', 'discounts.usage', 'only usage prices can have free units', false);
    }
  }
}

function checkUnitConfig(config: UnitConfig, { price }: PricingTerms, report: Report): void {
  if (price.type !== 'unit' && price.type !== 'graduated' && price.type !== 'volume') {
    // Package and dynamic prices convert units themselves: a second conversion would bill something nobody agreed to.
    const blocksRating = price.type === 'package' || price.type === 'dynamic';
    const message = 'unit config requires a unit, graduated or volume price';
    report('unit_config_requires_usage_based_price', 'unit_config', message, blocksRating);
  }
  checkPositive(config.conversion_factor, 'unit_config.conversion_factor', report);
  const precision = config.precision ?? 0;
  if (!Number.isInteger(precision) || precision < 0 || precision > MAX_QUANTITY_DIGITS) {
    report('precision_out_of_range', 'unit_config.precision', `precision must be 0 to ${MAX_QUANTITY_DIGITS}`);
  }
}

function checkNotNegative(text: string, field: string, report: Report): Decimal | undefined {
  const value = parseNumber(text);
  if (value === undefined) report('invalid_number', field, 'must be a decimal number');
  else if (value.lt(0)) report('negative_number', field, 'must not be negative');
  return value;
}

function checkPositive(text: string, field: string, report: Report): void {
  const value = parseNumber(text);
  if (value === undefined) report('invalid_number', field, 'must be a decimal number');
  else if (value.lte(0)) report('number_not_positive', field, 'must be greater than zero');
}
