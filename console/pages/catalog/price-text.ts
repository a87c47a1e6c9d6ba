import type { RateCard } from '../../api/plans.ts';
import { countOf, formatDecimal, formatDuration, formatEvery, formatMoney } from '../../shared/format.ts';

/** A rate card's price in one line: "$1.00 per 5,000 units". */
export function priceText(card: RateCard, planCurrency: string): string {
  const currency = card.currency ?? planCurrency;
  const { price } = card;
  switch (price.type) {
    case 'free':
      return 'Free';
    case 'flat': {
      const period = card.billing_cadence ? formatEvery(card.billing_cadence) : 'once';
      const term = card.payment_term === 'in_advance' ? ', in advance' : '';
      return `${formatMoney(price.amount, currency)} ${period}${term}`;
    }
    case 'unit':
      return `${formatMoney(price.amount, currency)} per ${unitText(card)}`;
    default:
      return `${price.type === 'volume' ? 'Volume' : 'Graduated'}, ${countOf(price.tiers.length, 'tier')}`;
  }
}

function unitText(card: RateCard): string {
  const config = card.unit_config;
  if (config === undefined) return 'unit';
  // What it is called is the unit after the conversion.
  if (config.display_unit !== undefined) return config.display_unit;
  return config.operation === 'divide'
    ? `${formatDecimal(config.conversion_factor)} units`
    : `unit × ${formatDecimal(config.conversion_factor)}`;
}

/** A rate card's entitlement in a word. */
export function entitlementText(card: RateCard): string {
  const { entitlement } = card;
  if (entitlement === undefined) return 'none';
  if (entitlement.type !== 'metered') return entitlement.type;
  const limit = entitlement.limit === undefined ? 'metered' : `${entitlement.limit.toLocaleString()}`;
  const period = entitlement.usage_period ? ` per ${formatDuration(entitlement.usage_period).replace(/^1 /, '')}` : '';
  return `${limit}${period}${entitlement.is_soft_limit ? ', soft' : ''}`;
}
