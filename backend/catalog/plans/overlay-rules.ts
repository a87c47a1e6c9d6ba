import { Decimal } from '../../platform/decimal.ts';
import { type CatalogIssue, isPriced, isSameCadence, issue, type RateCard } from '../product-catalog/index.ts';
import { chargesFee } from '../rating/index.ts';

/**
 * Why a rate card of an add-on cannot be added to a plan's card of the same key: buying the add-on sums amounts, limits
 * and free units, so all the rest must be the same. Source: OpenMeter openmeter/productcatalog/ratecard.go,
 * RateCardWithOverlay.
 */
export function findOverlayIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  return [
    ...priceIssues(base, added, path),
    ...featureIssues(base, added, path),
    ...cadenceIssues(base, added, path),
    ...entitlementIssues(base, added, `${path}.entitlement`),
    ...discountIssues(base, added, path),
    ...unitConfigIssues(base, added, path),
  ];
}

/** Where the plan's card has no price, the add-on's is taken as it is. */
function priceIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  if (!isPriced(base) || !isPriced(added)) return [];
  const field = `${path}.price`;
  const issues: CatalogIssue[] = [];
  const [basePrice, addedPrice] = [base.terms.price, added.terms.price];
  if (basePrice.type !== addedPrice.type) issues.push(issue('rate_card_price_type_mismatch', field));
  if (!chargesFee(basePrice)) issues.push(issue('rate_card_only_flat_price_allowed', field));
  if (chargesFee(basePrice) && chargesFee(addedPrice) && base.terms.payment_term !== added.terms.payment_term) {
    issues.push(issue('rate_card_price_payment_term_mismatch', `${path}.payment_term`));
  }
  return issues;
}

function featureIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  if (base.featureId === undefined || added.featureId === undefined || base.featureId === added.featureId) return [];
  return [issue('rate_card_feature_id_mismatch', `${path}.feature`)];
}

function cadenceIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  const [one, other] = [base.billingCadence, added.billingCadence];
  const field = `${path}.billing_cadence`;
  if (one !== undefined && other !== undefined) {
    return isSameCadence(one, other) ? [] : [issue('rate_card_billing_cadence_mismatch', field)];
  }
  // A fee that is charged once and one that recurs have no sum.
  const areBothCharged = isPriced(base) && isPriced(added);
  return areBothCharged && one !== other ? [issue('rate_card_billing_cadence_mismatch', field)] : [];
}

function entitlementIssues(base: RateCard, added: RateCard, field: string): CatalogIssue[] {
  const [one, other] = [base.entitlement, added.entitlement];
  if (one === undefined || other === undefined) return [];
  if (one.type !== other.type) return [issue('rate_card_entitlement_template_type_mismatch', `${field}.type`)];
  if (one.type === 'static') return [issue('rate_card_static_entitlement_template_not_allowed', `${field}.type`)];
  if (one.type !== 'metered' || other.type !== 'metered') return [];
  if (isSameCadence(one.usagePeriod, other.usagePeriod)) return [];
  return [issue('rate_card_metered_entitlement_template_usage_period_mismatch', `${field}.usage_period`)];
}

function discountIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  if (base.terms.discounts?.percentage === undefined || added.terms.discounts?.percentage === undefined) return [];
  return [issue('rate_card_percentage_discount_not_allowed', `${path}.discounts.percentage`)];
}

function unitConfigIssues(base: RateCard, added: RateCard, path: string): CatalogIssue[] {
  const [one, other] = [base.terms.unit_config, added.terms.unit_config];
  if (!one || !other) return [];
  const keys = ['operation', 'rounding', 'precision', 'display_unit'] as const;
  const isSameFactor = new Decimal(one.conversion_factor).eq(other.conversion_factor);
  if (isSameFactor && keys.every((key) => one[key] === other[key])) return [];
  return [issue('addon_rate_card_unit_config_mismatch', `${path}.unit_config`)];
}
