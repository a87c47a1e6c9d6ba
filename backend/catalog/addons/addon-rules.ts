import {
  type CatalogIssue,
  findCurrencyIssues,
  findRateCardIssues,
  hasUsagePrice,
  isPriced,
  isSameCadence,
  issue,
  type References,
} from '../product-catalog/index.ts';
import type { Addon } from './types.ts';

/** All that keeps an add-on from being published. Source: OpenMeter openmeter/productcatalog/addon.go. */
export function findAddonIssues(addon: Addon, references: References): CatalogIssue[] {
  const { rateCards, currency } = addon;
  return [
    ...findCurrencyIssues(currency, references),
    ...(rateCards.length === 0 ? [issue('addon_has_no_rate_cards', 'rate_cards')] : []),
    // Whether a custom currency needs a cost basis depends on the plan that the add-on is assigned to.
    ...findRateCardIssues(rateCards, { path: 'rate_cards', currency, settlementMode: undefined, references }),
    ...cadenceIssues(addon),
    ...(addon.instanceType === 'multiple' ? usagePriceIssues(addon) : []),
  ];
}

/** One-time fees have no cadence and fit any. */
function cadenceIssues({ rateCards }: Addon): CatalogIssue[] {
  let first: string | undefined;
  for (const [index, card] of rateCards.entries()) {
    if (!isPriced(card) || card.billingCadence === undefined) continue;
    first ??= card.billingCadence;
    if (isSameCadence(first, card.billingCadence)) continue;
    return [issue('rate_card_multiple_billing_cadence', `rate_cards.${index}.billing_cadence`)];
  }
  return [];
}

/** What was used is used once, however many times the add-on was bought. */
function usagePriceIssues({ rateCards }: Addon): CatalogIssue[] {
  return rateCards.flatMap((card, index) =>
    hasUsagePrice(card) ? [issue('addon_invalid_ratecard_price_for_multi_instance', `rate_cards.${index}.price`)] : [],
  );
}
