import { chargesNothing, chargesUsage, findPricingProblems, type PricingProblem } from '../rating/index.ts';
import { isAtLeastAnHour } from './cadence.ts';
import { type IssueCode, issue } from './issue-codes.ts';
import type { References } from './references.ts';
import type { CatalogIssue, RateCard, SettlementMode } from './types.ts';

/** What the rules of a rate card need to know besides the card. */
export interface CardContext {
  /** Dotted path of the list of cards ("phases.0.rate_cards"). */
  path: string;
  /** Code of the currency of the plan or add-on. */
  currency: string;
  /** Decides whether custom currencies need a cost basis; undefined where that is known only when an add-on is assigned. */
  settlementMode: SettlementMode | undefined;
  references: References;
}

/** Whether the card charges anything; an amount of zero does, a free price does not. */
export function isPriced(card: RateCard): boolean {
  return !chargesNothing(card.terms.price);
}

/** Whether the card charges what was used. */
export function hasUsagePrice(card: RateCard): boolean {
  return chargesUsage(card.terms.price);
}

/** All that is wrong with a list of rate cards. Source: OpenMeter openmeter/productcatalog/ratecard.go. */
export function findRateCardIssues(cards: readonly RateCard[], context: CardContext): CatalogIssue[] {
  const keys = new Set<string>();
  return cards.flatMap((card, index) => {
    const path = `${context.path}.${index}`;
    const duplicate = keys.has(card.key) ? [issue('rate_card_duplicated_key', `${path}.key`)] : [];
    keys.add(card.key);
    return [
      ...duplicate,
      ...featureIssues(card, path, context.references),
      ...moneyIssues(card, path),
      ...currencyIssues(card, path, context),
      ...entitlementIssues(card, path, context.references),
      ...taxIssues(card, path, context.references),
    ];
  });
}

function featureIssues(card: RateCard, path: string, { features }: References): CatalogIssue[] {
  const field = `${path}.feature`;
  if (card.featureId === undefined) {
    return hasUsagePrice(card) ? [issue('usage_based_price_with_no_feature', field)] : [];
  }
  const feature = features.get(card.featureId);
  const attributes = { feature_id: card.featureId };
  if (feature === undefined) return [issue('rate_card_feature_not_found', field, attributes)];
  const issues: CatalogIssue[] = [];
  if (feature.isArchived) issues.push(issue('rate_card_feature_archived', field, attributes));
  if (feature.key !== card.key) {
    issues.push(issue('rate_card_key_feature_key_mismatch', `${path}.key`, { feature_key: feature.key }));
  }
  if (hasUsagePrice(card) && !feature.hasMeter) {
    issues.push(issue('usage_based_price_with_feature_and_no_meter', field, attributes));
  }
  return issues;
}

function moneyIssues(card: RateCard, path: string): CatalogIssue[] {
  const issues = findPricingProblems(card.terms).map((problem) => issue(codeOf(problem), `${path}.${problem.field}`));
  const isMissing = card.billingCadence === undefined && hasUsagePrice(card);
  const isTooShort = card.billingCadence !== undefined && !isAtLeastAnHour(card.billingCadence);
  if (isMissing || isTooShort) issues.push(issue('billing_cadence_invalid_value', `${path}.billing_cadence`));
  return issues;
}

/** Rating knows what it cannot price; the catalog has its own names for some of it. */
function codeOf({ rule, field }: PricingProblem): IssueCode {
  switch (rule) {
    case 'percentage_out_of_range':
      return 'percentage_discount_invalid_value';
    case 'usage_discount_with_flat_price':
    case 'unit_config_requires_usage_based_price':
    case 'commitments_with_flat_price':
      return rule;
    case 'negative_number':
      return field === 'discounts.usage' ? 'usage_discount_negative_quantity' : 'price_negative_number';
    default:
      return `price_${rule}`;
  }
}

function currencyIssues(card: RateCard, path: string, context: CardContext): CatalogIssue[] {
  const { currency: code } = card;
  if (code === undefined) return [];
  const field = `${path}.currency`;
  const { references, currency: defaultCode, settlementMode } = context;
  const facts = references.currencies.get(code);
  if (facts === undefined) return [unknownCurrency(code, field)];
  if (!isPriced(card)) return [issue('rate_card_currency_requires_price', field)];
  if (references.currencies.get(defaultCode)?.isCustom)
    return [issue('rate_card_currency_override_not_allowed', field)];
  if (code === defaultCode) return [issue('rate_card_currency_override_redundant', field)];
  if (!facts.isCustom) return [issue('plan_multiple_fiat_currencies', field)];
  const needsCostBasis = settlementMode === 'credit_then_invoice';
  if (!needsCostBasis || facts.costBases.has(defaultCode)) return [];
  return [issue('currency_cost_basis_not_found', field, { currency: code, fiat_currency: defaultCode })];
}

function entitlementIssues({ entitlement, featureId }: RateCard, path: string, references: References): CatalogIssue[] {
  if (entitlement === undefined) return [];
  const issues: CatalogIssue[] = [];
  if (featureId === undefined) issues.push(issue('entitlement_template_with_no_feature', `${path}.feature`));
  if (entitlement.type !== 'metered') return issues;
  if (entitlement.limit === undefined) {
    issues.push(issue('entitlement_template_issue_after_reset_required', `${path}.entitlement.limit`));
  }
  if (!isAtLeastAnHour(entitlement.usagePeriod)) {
    issues.push(issue('entitlement_template_usage_period_less_then_an_hour', `${path}.entitlement.usage_period`));
  }
  const feature = featureId === undefined ? undefined : references.features.get(featureId);
  if (feature !== undefined && !feature.hasMeter) {
    issues.push(issue('metered_entitlement_with_feature_and_no_meter', `${path}.feature`));
  }
  return issues;
}

function taxIssues({ taxConfig }: RateCard, path: string, { taxCodes }: References): CatalogIssue[] {
  if (taxConfig === undefined || taxCodes.has(taxConfig.taxCodeId)) return [];
  return [issue('rate_card_tax_code_not_found', `${path}.tax_config.code`, { tax_code_id: taxConfig.taxCodeId })];
}

/** What is wrong with the currency of a plan or add-on. */
export function findCurrencyIssues(code: string, { currencies }: References): CatalogIssue[] {
  return currencies.has(code) ? [] : [unknownCurrency(code, 'currency')];
}

function unknownCurrency(code: string, field: string): CatalogIssue {
  return issue(/^[A-Z]{3}$/.test(code) ? 'currency_invalid' : 'currency_not_found', field, { currency: code });
}
