import type { CatalogIssue } from './types.ts';

type Severity = CatalogIssue['severity'];
const critical = (message: string) => ({ severity: 'critical' as Severity, message });
const warning = (message: string) => ({ severity: 'warning' as Severity, message });

/**
 * The codes of all that can be wrong with a plan or an add-on. Those of OpenMeter (openmeter/productcatalog/errors.go)
 * keep their names and severities; the others, at the end of each group, are rules that it checks without a code.
 */
export const ISSUE_CODES = {
  // Versions
  only_a_single_draft_version_allowed: critical('there is a draft of this key already'),
  // Rate cards
  rate_card_duplicated_key: critical('another rate card has this key'),
  rate_card_feature_not_found: critical('there is no such feature'),
  rate_card_feature_archived: critical('the feature is archived'),
  rate_card_key_feature_key_mismatch: critical("the rate card's key must be the key of its feature"),
  usage_based_price_with_no_feature: warning('a usage price needs a feature'),
  usage_based_price_with_feature_and_no_meter: warning('a usage price needs a feature with a meter'),
  unit_config_requires_usage_based_price: warning('a unit config needs a unit, graduated or volume price'),
  billing_cadence_invalid_value: warning('the billing cadence must be at least an hour; only flat fees can have none'),
  percentage_discount_invalid_value: critical('the percentage must be between 0 and 100'),
  usage_discount_negative_quantity: warning('free units must not be negative'),
  usage_discount_with_flat_price: warning('only usage prices can have free units'),
  entitlement_template_with_no_feature: warning('an entitlement needs a feature'),
  entitlement_template_issue_after_reset_required: warning('a metered entitlement needs a limit'),
  entitlement_template_usage_period_less_then_an_hour: warning('the usage period must be at least an hour'),
  rate_card_tax_code_not_found: critical('there is no such tax code'),
  metered_entitlement_with_feature_and_no_meter: warning('a metered entitlement needs a feature with a meter'),
  commitments_with_flat_price: warning('only usage prices can have commitments'),
  price_invalid_number: critical('must be a decimal number'),
  price_negative_number: critical('must not be negative'),
  price_number_not_positive: critical('must be greater than zero'),
  price_minimum_above_maximum: critical('the minimum must not be above the maximum'),
  price_no_tiers: critical('at least one tier is needed'),
  price_duplicate_tier_bound: critical('each tier needs its own up_to_amount'),
  price_not_one_open_ended_tier: critical('exactly one tier, the last, has no up_to_amount'),
  price_tier_without_price: critical('a tier needs a flat price, a unit price, or both'),
  price_precision_out_of_range: critical('the precision is out of range'),
  // Currencies
  currency_invalid: critical('is no currency of ISO 4217'),
  currency_not_found: critical('there is no such currency'),
  rate_card_currency_override_not_allowed: warning(
    'a rate card cannot have a currency of its own where the default currency is a custom one',
  ),
  rate_card_currency_override_redundant: warning('the currency of a rate card must differ from the default currency'),
  rate_card_currency_requires_price: warning('a free rate card has no currency'),
  plan_multiple_fiat_currencies: warning('a plan cannot contain more than one fiat currency'),
  currency_cost_basis_not_found: warning('the custom currency has no cost basis in the default currency'),
  // Plans
  plan_billing_cadence_invalid: critical(
    'the billing cadence of a plan must be one of P1W, P2W, P4W, P1M, P3M, P6M, P12M, P1Y',
  ),
  plan_phase_duplicated_key: critical('another phase has this key'),
  plan_phase_duration_less_then_an_hour: warning('a phase must last at least an hour'),
  plan_has_non_last_phase_with_no_duration: warning('every phase but the last needs a duration'),
  plan_has_last_phase_with_duration: warning('the last phase must not have a duration'),
  plan_phase_has_no_rate_cards: warning('a phase needs at least one rate card'),
  rate_card_billing_cadence_unaligned: warning(
    "the billing cadence of a rate card must equal the plan's, divide it or be a multiple of it",
  ),
  plan_has_incompatible_addon: warning('an assigned add-on does not fit the plan'),
  plan_invalid_status: critical('the status of the plan does not allow this'),
  // Add-ons
  addon_has_no_rate_cards: warning('an add-on needs at least one rate card'),
  addon_invalid_ratecard_price_for_multi_instance: warning(
    'an add-on that can be bought several times can only have free and flat prices',
  ),
  rate_card_multiple_billing_cadence: warning('all priced rate cards of an add-on need the same billing cadence'),
  addon_invalid_status: critical('the status of the add-on does not allow this'),
  addon_invalid_status_for_publish: critical('only a draft can be published'),
  // Add-ons of plans
  plan_addon_incompatible_status: warning('the add-on must be active'),
  plan_addon_max_quantity_must_not_be_set: warning('an add-on that can be bought once has no maximum quantity'),
  plan_addon_unknown_plan_phase_key: warning('the plan has no such phase'),
  plan_addon_currency_mismatch: warning("an add-on cannot change the currency of a plan's rate card"),
  rate_card_price_type_mismatch: warning('the price types of the two rate cards must match'),
  rate_card_price_payment_term_mismatch: warning('the payment terms of the two rate cards must match'),
  rate_card_only_flat_price_allowed: warning("only flat prices can be added to a plan's rate card"),
  rate_card_feature_id_mismatch: warning('the features of the two rate cards must match'),
  rate_card_billing_cadence_mismatch: warning('the billing cadences of the two rate cards must match'),
  rate_card_entitlement_template_type_mismatch: warning('the entitlement types of the two rate cards must match'),
  rate_card_static_entitlement_template_not_allowed: warning('a static entitlement cannot be added to another one'),
  rate_card_metered_entitlement_template_usage_period_mismatch: warning(
    'the usage periods of the two rate cards must match',
  ),
  rate_card_percentage_discount_not_allowed: warning('two percentage discounts cannot be added up'),
  addon_rate_card_unit_config_mismatch: warning('the unit configs of the two rate cards must match'),
} satisfies Record<string, { severity: Severity; message: string }>;

export type IssueCode = keyof typeof ISSUE_CODES;

/** @param field dotted path in the resource */
export function issue(code: IssueCode, field: string, attributes?: Record<string, unknown>): CatalogIssue {
  const { severity, message } = ISSUE_CODES[code];
  return { code, field, message: `${field}: ${message}`, severity, ...(attributes && { attributes }) };
}
