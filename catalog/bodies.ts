/** The catalog's parts as the API's requests: ids in place of keys. */
import { type Ids, idOf } from './references.ts';
import type { Addon, Feature, Plan, PlanAddon, RateCard, TaxCodeDefaults } from './schema.ts';

export function featureBody({ meter, ...feature }: Feature, ids: Ids) {
  return { ...feature, ...(meter && { meter: { id: idOf(ids, 'meters', meter.key), filters: meter.filters } }) };
}

export function taxCodeDefaultsBody(defaults: TaxCodeDefaults, ids: Ids) {
  const { invoicing_tax_code: invoicing, credit_grant_tax_code: creditGrant } = defaults;
  return {
    ...(invoicing && { invoicing_tax_code: { id: idOf(ids, 'taxCodes', invoicing.key) } }),
    ...(creditGrant && { credit_grant_tax_code: { id: idOf(ids, 'taxCodes', creditGrant.key) } }),
  };
}

export function addonBody({ status: _status, ...addon }: Addon, ids: Ids) {
  return { ...addon, rate_cards: addon.rate_cards.map((card) => rateCardBody(card, ids)) };
}

export function planBody({ status: _status, addons: _addons, ...plan }: Plan, ids: Ids) {
  const phases = plan.phases.map((phase) => ({
    ...phase,
    duration: phase.duration ?? undefined,
    rate_cards: phase.rate_cards.map((card) => rateCardBody(card, ids)),
  }));
  return { ...plan, phases };
}

export function planAddonBody({ addon, ...planAddon }: PlanAddon, ids: Ids) {
  return { addon: { id: idOf(ids, 'addons', addon.key) }, ...planAddon };
}

function rateCardBody({ feature, tax_config, ...card }: RateCard, ids: Ids) {
  return {
    ...card,
    billing_cadence: card.billing_cadence ?? undefined,
    ...(feature && { feature: { id: idOf(ids, 'features', feature.key) } }),
    ...(tax_config && { tax_config: { ...tax_config, code: { id: idOf(ids, 'taxCodes', tax_config.code.key) } } }),
  };
}
