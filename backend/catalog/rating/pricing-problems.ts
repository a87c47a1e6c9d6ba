import { checkNotNegative, checkPositive, type Report } from './checks.ts';
import type { PricingProblem } from './errors.ts';
import { chargesUsage, checkPrice } from './models/index.ts';
import { parseNumber } from './numbers.ts';
import { MAX_QUANTITY_DIGITS } from './quantity.ts';
import type { PricingTerms, UnitConfig } from './types.ts';

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
  checkPrice(terms.price, report);
  checkCommitments(terms, report);
  checkDiscounts(terms, report);
  if (terms.unit_config) checkUnitConfig(terms.unit_config, terms, report);
  return problems;
}

function checkCommitments({ price, commitments }: PricingTerms, report: Report): void {
  if (commitments?.minimum_amount === undefined && commitments?.maximum_amount === undefined) return;
  if (!chargesUsage(price)) {
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
    if (!chargesUsage(price)) {
      report('usage_discount_with_flat_price', 'discounts.usage', 'only usage prices can have free units', false);
    }
  }
}

function checkUnitConfig(config: UnitConfig, { price }: PricingTerms, report: Report): void {
  if (!chargesUsage(price)) {
    const message = 'unit config requires a unit, graduated or volume price';
    report('unit_config_requires_usage_based_price', 'unit_config', message, false);
  }
  checkPositive(config.conversion_factor, 'unit_config.conversion_factor', report);
  const precision = config.precision ?? 0;
  if (!Number.isInteger(precision) || precision < 0 || precision > MAX_QUANTITY_DIGITS) {
    report('precision_out_of_range', 'unit_config.precision', `precision must be 0 to ${MAX_QUANTITY_DIGITS}`);
  }
}
