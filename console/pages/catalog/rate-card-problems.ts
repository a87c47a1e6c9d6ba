import type { RateCardForm } from './rate-card-form.ts';

/**
 * Where the API's field of a rate card stands in the wizard: "price.amount" is one of three, by the model.
 * @param field which ends in a path of the card: "phases.0.rate_cards.1.price.amount"
 */
export function placeOf(field: string, form: RateCardForm): string {
  const path = field.replace(/^.*rate_cards\.\d+\.?/, '');
  const tier = /^price\.tiers\.(\d+)(?:\.(\w+))?/.exec(path);
  if (tier !== null) {
    const part = { up_to_amount: 'lastUnit', flat_price: 'flatPrice', unit_price: 'unitPrice' }[tier[2] ?? ''];
    return `tiers.${tier[1]}.${part ?? 'lastUnit'}`;
  }
  const known: Record<string, string> = {
    name: 'name',
    key: 'key',
    feature: 'feature',
    'feature.id': 'feature',
    price: 'featureId',
    'price.amount': form.packageSize === '' ? 'amount' : 'packagePrice',
    'price.tiers': 'tiers.0.lastUnit',
    'unit_config.conversion_factor':
      form.model === 'dynamic' ? 'multiplier' : form.packageSize === '' ? 'factor' : 'packageSize',
    'discounts.usage': 'usageDiscount',
    'discounts.percentage': 'percentageDiscount',
    'commitments.minimum_amount': 'minimum',
    'commitments.maximum_amount': 'maximum',
    commitments: 'minimum',
    'tax_config.code.id': 'taxCodeId',
    billing_cadence: 'cadence',
    payment_term: 'term',
    unit_config: 'conversion',
    'unit_config.display_unit': 'displayUnit',
    'entitlement.limit': 'allowance',
    'entitlement.usage_period': 'usagePeriod',
    'entitlement.config': 'staticConfig',
  };
  return known[path] ?? path;
}
