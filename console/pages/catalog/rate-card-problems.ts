import type { FieldError } from '../../api/problem.ts';
import type { RateCardForm } from './rate-card-form.ts';

/** Where the API's field of a rate card stands in the wizard: "price.amount" is one of three, by the model. */
function fieldOf(path: string, form: RateCardForm): string {
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
    'entitlement.limit': 'allowance',
    'entitlement.usage_period': 'usagePeriod',
    'entitlement.config': 'staticConfig',
  };
  return known[path] ?? path;
}

/**
 * A refusal of the server, by the wizard's fields.
 * @param errors whose fields end in a rate card's path: "phases.0.rate_cards.1.price.amount"
 */
export function serverProblems(errors: readonly FieldError[], form: RateCardForm): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { field, reason } of errors) {
    const path = field.replace(/\[(\d+)\]/g, '.$1').replace(/^.*rate_cards\.\d+\.?/, '');
    found[fieldOf(path, form)] = reason;
  }
  return found;
}
