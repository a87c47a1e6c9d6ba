import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findRateCardIssues,
  ISSUE_CODES,
  type IssueCode,
  type RateCard,
} from '../../../../backend/catalog/product-catalog/index.ts';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { type Catalog, createCatalog, createFeature } from '../../../support/catalog/features.ts';
import { addonBody, callsOf, feeCard, phase, planBody, usageCard } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let catalog: Catalog;
let calls: ReturnType<typeof callsOf>;
let archived: Json;
let custom: Json;
beforeAll(async () => {
  backend = await createTestBackend();
  catalog = await createCatalog(backend);
  calls = callsOf(backend);
  archived = await createFeature(backend, 'gone');
  await calls.ok('DELETE', `/features/${archived.id}`);
  custom = await calls.ok('POST', '/currencies/custom', {
    code: 'CREDITS',
    name: 'Credits',
    symbol: 'cr',
    precision: 2,
    decimal_mark: '.',
    thousand_separator: ',',
  });
  await calls.ok('POST', `/currencies/custom/${custom.id}/cost-bases`, { fiat_code: 'EUR', rate: '2' });
});
afterAll(() => backend.close());

const seen = new Set<string>();
let created = 0;

/** Code and field of what a plan or add-on has, however severe; a critical one is refused, a warning is listed. */
async function found(path: '/plans' | '/addons', body: Json): Promise<string[]> {
  created += 1;
  const answer = await calls.call('POST', path, { ...body, key: `${body.key}_${created}` });
  const listed: Json[] =
    answer.status === 400 ? answer.json.extensions.validationErrors : (answer.json.validation_errors ?? []);
  for (const { code } of listed) {
    seen.add(code);
    const isCritical = ISSUE_CODES[code as IssueCode].severity === 'critical';
    expect({ code, isCritical }).toEqual({ code, isCritical: answer.status === 400 });
  }
  return listed.map(({ code, field }) => `${code} ${field}`);
}
const ofCard = (card: Json) => found('/plans', planBody('codes', { phases: [phase([card])] }));
const ofPlan = (fields: Json) => found('/plans', planBody('codes', fields));
const ofAddon = (fields: Json) => found('/addons', addonBody('codes', fields));

const CARD = 'phases.0.rate_cards.0';
const tiers = (...list: Json[]) => ({ price: { type: 'graduated', tiers: list } });
const unit = (amount: string) => ({ type: 'unit', amount });

describe('rate cards', () => {
  test.each<[() => Json, string]>([
    [() => feeCard({ feature: { id: UNKNOWN_ID } }), `rate_card_feature_not_found ${CARD}.feature`],
    [() => feeCard({ key: 'gone', feature: { id: archived.id } }), `rate_card_feature_archived ${CARD}.feature`],
    [() => usageCard(catalog, { key: 'other' }), `rate_card_key_feature_key_mismatch ${CARD}.key`],
    [() => usageCard(catalog, { feature: undefined }), `usage_based_price_with_no_feature ${CARD}.feature`],
    [
      () => usageCard(catalog, { key: 'sso', feature: { id: catalog.sso.id } }),
      `usage_based_price_with_feature_and_no_meter ${CARD}.feature`,
    ],
    [
      () => feeCard({ unit_config: { operation: 'divide', conversion_factor: '2' } }),
      `unit_config_requires_usage_based_price ${CARD}.unit_config`,
    ],
    [() => usageCard(catalog, { billing_cadence: undefined }), `billing_cadence_invalid_value ${CARD}.billing_cadence`],
    [
      () => feeCard({ discounts: { percentage: 100.01 } }),
      `percentage_discount_invalid_value ${CARD}.discounts.percentage`,
    ],
    [
      () => usageCard(catalog, { discounts: { usage: '-1' } }),
      `usage_discount_negative_quantity ${CARD}.discounts.usage`,
    ],
    [() => feeCard({ discounts: { usage: '1' } }), `usage_discount_with_flat_price ${CARD}.discounts.usage`],
    [() => feeCard({ entitlement: { type: 'boolean' } }), `entitlement_template_with_no_feature ${CARD}.feature`],
    [
      () => usageCard(catalog, { entitlement: { type: 'metered' } }),
      `entitlement_template_issue_after_reset_required ${CARD}.entitlement.limit`,
    ],
    [
      () => usageCard(catalog, { entitlement: { type: 'metered', limit: 1, usage_period: 'PT59M' } }),
      `entitlement_template_usage_period_less_then_an_hour ${CARD}.entitlement.usage_period`,
    ],
    [
      () => feeCard({ key: 'sso', feature: { id: catalog.sso.id }, entitlement: { type: 'metered', limit: 1 } }),
      `metered_entitlement_with_feature_and_no_meter ${CARD}.feature`,
    ],
    [
      () => feeCard({ tax_config: { code: { id: UNKNOWN_ID } } }),
      `rate_card_tax_code_not_found ${CARD}.tax_config.code`,
    ],
    [() => feeCard({ commitments: { minimum_amount: '1' } }), `commitments_with_flat_price ${CARD}.commitments`],
    [() => feeCard({ price: { type: 'flat', amount: '-1' } }), `price_negative_number ${CARD}.price.amount`],
    [
      () => usageCard(catalog, { unit_config: { operation: 'divide', conversion_factor: '0' } }),
      `price_number_not_positive ${CARD}.unit_config.conversion_factor`,
    ],
    [
      () => usageCard(catalog, { commitments: { minimum_amount: '2', maximum_amount: '1' } }),
      `price_minimum_above_maximum ${CARD}.commitments.minimum_amount`,
    ],
    [
      () =>
        usageCard(
          catalog,
          tiers(
            { up_to_amount: '1', unit_price: unit('1') },
            { up_to_amount: '1.0', unit_price: unit('1') },
            { unit_price: unit('1') },
          ),
        ),
      `price_duplicate_tier_bound ${CARD}.price.tiers.1.up_to_amount`,
    ],
    [
      () => usageCard(catalog, tiers({ up_to_amount: '1', unit_price: unit('1') })),
      `price_not_one_open_ended_tier ${CARD}.price.tiers`,
    ],
    [() => usageCard(catalog, tiers({})), `price_tier_without_price ${CARD}.price.tiers.0`],
  ])('%#: %s', async (card, expected) => {
    expect(await ofCard(card())).toEqual([expected]);
  });

  test('two with one key', async () => {
    const phases = [phase([feeCard(), feeCard()])];
    expect(await ofPlan({ phases })).toEqual(['rate_card_duplicated_key phases.0.rate_cards.1.key']);
  });

  test('a cadence below an hour', async () => {
    expect(await ofCard(feeCard({ billing_cadence: 'PT30M' }))).toEqual([
      `billing_cadence_invalid_value ${CARD}.billing_cadence`,
    ]);
  });

  test('what the border lets nobody send is refused by the rules too', () => {
    const card: RateCard = {
      key: 'requests',
      name: 'Requests',
      billingCadence: 'P1M',
      terms: {
        price: { type: 'graduated', tiers: [] },
        payment_term: 'in_arrears',
        commitments: { minimum_amount: 'one' },
        unit_config: { operation: 'divide', conversion_factor: '1', precision: 51 },
      },
    };
    const references = { features: new Map(), currencies: new Map(), taxCodes: new Set<string>() };
    const context = { path: 'rate_cards', currency: 'USD', settlementMode: undefined, references };
    const issues = findRateCardIssues([card], context);
    for (const { code } of issues) seen.add(code);
    expect(issues.map(({ code }) => code)).toEqual([
      'usage_based_price_with_no_feature',
      'price_no_tiers',
      'price_invalid_number',
      'price_precision_out_of_range',
    ]);
  });
});

describe('currencies', () => {
  test('of a plan', async () => {
    expect(await ofPlan({ currency: 'XQZ' })).toEqual(['currency_invalid currency']);
    expect(await ofPlan({ currency: 'POINTS' })).toEqual(['currency_not_found currency']);
    expect(await ofPlan({ currency: 'CREDITS' })).toEqual([]);
  });

  test.each<[string, Json, string[]]>([
    ['USD', { currency: 'XQZ' }, ['currency_invalid']],
    ['USD', { currency: 'EUR' }, ['plan_multiple_fiat_currencies']],
    ['USD', { currency: 'USD' }, ['rate_card_currency_override_redundant']],
    ['USD', { currency: 'CREDITS' }, ['currency_cost_basis_not_found']],
    ['EUR', { currency: 'CREDITS' }, []],
    ['EUR', { currency: 'CREDITS', price: { type: 'free' } }, ['rate_card_currency_requires_price']],
    ['CREDITS', { currency: 'EUR' }, ['rate_card_currency_override_not_allowed']],
  ])('of a rate card in a plan in %s: %j', async (currency, fields, expected) => {
    const phases = [phase([feeCard(fields)])];
    expect(await ofPlan({ currency, phases })).toEqual(expected.map((code) => `${code} ${CARD}.currency`));
  });
});

describe('plans', () => {
  test.each(['P1W', 'P2W', 'P4W', 'P1M', 'P3M', 'P6M', 'P12M', 'P1Y'])('may be billed every %s', async (cadence) => {
    const phases = [phase([feeCard({ billing_cadence: cadence })])];
    expect(await ofPlan({ billing_cadence: cadence, phases })).toEqual([]);
  });

  test.each<[Json, string[]]>([
    [{ billing_cadence: 'P2M' }, ['plan_billing_cadence_invalid billing_cadence']],
    [{ billing_cadence: 'P1W' }, [`rate_card_billing_cadence_unaligned ${CARD}.billing_cadence`]],
    [{ billing_cadence: 'P1Y' }, []],
    [{ phases: [phase([])] }, ['plan_phase_has_no_rate_cards phases.0.rate_cards']],
    [{ phases: [phase([feeCard()], { duration: 'P1M' })] }, ['plan_has_last_phase_with_duration phases.0.duration']],
    [
      { phases: [phase([feeCard()]), phase([feeCard()], { key: 'second' })] },
      ['plan_has_non_last_phase_with_no_duration phases.0.duration'],
    ],
    [
      { phases: [phase([feeCard()], { duration: 'PT0S' }), phase([feeCard()], { key: 'second' })] },
      ['plan_phase_duration_less_then_an_hour phases.0.duration'],
    ],
    [
      { phases: [phase([feeCard()], { duration: 'PT1H' }), phase([feeCard()])] },
      ['plan_phase_duplicated_key phases.1.key'],
    ],
    // A one-time fee and a free card fit every plan.
    [{ billing_cadence: 'P1W', phases: [phase([feeCard({ billing_cadence: null })])] }, []],
    [{ billing_cadence: 'P1W', phases: [phase([feeCard({ price: { type: 'free' } })])] }, []],
  ])('%j', async (fields, expected) => {
    expect(await ofPlan(fields)).toEqual(expected);
  });

  test('a feature that is archived later keeps the draft from being published', async () => {
    const feature = await createFeature(backend, 'soon_gone');
    const phases = [phase([feeCard({ key: 'soon_gone', feature: { id: feature.id } })])];
    const plan = await calls.createPlan('archived_later', { phases });
    expect(plan).not.toHaveProperty('validation_errors');
    await calls.ok('DELETE', `/features/${feature.id}`);
    expect((await calls.ok('GET', `/plans/${plan.id}`)).validation_errors).toMatchObject([
      { code: 'rate_card_feature_archived', attributes: { feature_id: feature.id } },
    ]);
    expect((await calls.call('POST', `/plans/${plan.id}/publish`)).status).toBe(400);
  });
});

describe('add-ons', () => {
  test.each<[() => Json, string[]]>([
    [() => ({ rate_cards: [] }), ['addon_has_no_rate_cards rate_cards']],
    [() => ({ currency: 'XQZ' }), ['currency_invalid currency']],
    [
      () => ({ instance_type: 'multiple', rate_cards: [usageCard(catalog)] }),
      ['addon_invalid_ratecard_price_for_multi_instance rate_cards.0.price'],
    ],
    [() => ({ instance_type: 'multiple', rate_cards: [feeCard({ price: { type: 'free' } })] }), []],
    [
      () => ({ rate_cards: [feeCard(), feeCard({ key: 'b', billing_cadence: 'P1Y' })] }),
      ['rate_card_multiple_billing_cadence rate_cards.1.billing_cadence'],
    ],
    [() => ({ rate_cards: [feeCard({ billing_cadence: 'P1Y' }), feeCard({ key: 'b', billing_cadence: 'P12M' })] }), []],
    [() => ({ rate_cards: [feeCard(), feeCard({ key: 'b', billing_cadence: null })] }), []],
    [() => ({ rate_cards: [feeCard(), feeCard()] }), ['rate_card_duplicated_key rate_cards.1.key']],
    // Which fiat currency the credits are paid in is known when a plan offers the add-on.
    [() => ({ rate_cards: [feeCard({ currency: 'CREDITS' })] }), []],
  ])('%#', async (fields, expected) => {
    expect(await ofAddon(fields())).toEqual(expected);
  });
});

describe('an add-on of a plan', () => {
  /** Code and field of what is wrong with this add-on in this plan: refused at once, or listed. */
  async function assigned(plan: Json, addon: Json, fields: Json = {}): Promise<string[]> {
    created += 1;
    const { id } = await calls.createPlan(`with_addon_${created}`, plan);
    const published = await calls.publishAddon(`addon_${created}`, addon);
    const body = { name: 'A', addon: { id: published.id }, from_plan_phase: 'default', ...fields };
    const answer = await calls.call('POST', `/plans/${id}/addons`, body);
    const listed: Json[] =
      answer.status === 400 ? answer.json.extensions.validationErrors : (answer.json.validation_errors ?? []);
    for (const { code } of listed) seen.add(code);
    if (answer.status === 201 && listed.length > 0) {
      const judged = await calls.ok('GET', `/plans/${id}`);
      for (const { code } of judged.validation_errors) seen.add(code);
      expect(judged.validation_errors).toMatchObject([{ code: 'plan_has_incompatible_addon' }]);
      expect((await calls.call('POST', `/plans/${id}/publish`)).status).toBe(400);
    }
    return listed.map(({ code, field }) => `${code} ${field}`);
  }
  const planOf = (...cards: Json[]) => ({ phases: [phase(cards)] });
  const addonOf = (...rate_cards: Json[]) => ({ rate_cards });
  const inCredits = { currency: 'CREDITS' };
  const metered = (usage_period: string) => ({ type: 'metered', limit: 1, usage_period });
  const sso = (entitlement: Json, fields: Json = {}) =>
    feeCard({ key: 'sso', feature: { id: catalog.sso.id }, entitlement, ...fields });
  const packages = (conversion_factor: string) => ({ unit_config: { operation: 'divide', conversion_factor } });

  const C = 'addon.rate_cards.0';
  test.each<[() => [plan: Json, addon: Json, fields?: Json], string[]]>([
    [() => [{}, {}], []],
    [() => [{}, {}, { from_plan_phase: 'unknown' }], ['plan_addon_unknown_plan_phase_key from_plan_phase']],
    [() => [{}, {}, { max_quantity: 2 }], ['plan_addon_max_quantity_must_not_be_set max_quantity']],
    [() => [{}, { instance_type: 'multiple' }, { max_quantity: 2 }], []],
    [
      () => [{ billing_cadence: 'P1W', ...planOf(feeCard({ billing_cadence: 'P1W' })) }, {}],
      [`rate_card_billing_cadence_unaligned ${C}.billing_cadence`],
    ],
    // Cards of the same key: amounts are added up, so the rest must match.
    [() => [planOf(feeCard()), addonOf(feeCard({ price: { type: 'flat', amount: '1' } }))], []],
    [() => [planOf(usageCard(catalog)), addonOf(usageCard(catalog))], [`rate_card_only_flat_price_allowed ${C}.price`]],
    [
      () => [planOf(feeCard({ key: 'requests', feature: { id: catalog.requests.id } })), addonOf(usageCard(catalog))],
      [`rate_card_price_type_mismatch ${C}.price`],
    ],
    [() => [planOf(usageCard(catalog, { price: { type: 'free' } })), addonOf(usageCard(catalog))], []],
    [
      () => [planOf(feeCard()), addonOf(feeCard({ payment_term: 'in_advance' }))],
      [`rate_card_price_payment_term_mismatch ${C}.payment_term`],
    ],
    [
      () => [planOf(feeCard()), addonOf(feeCard({ billing_cadence: 'P1Y' }))],
      [`rate_card_billing_cadence_mismatch ${C}.billing_cadence`],
    ],
    [
      () => [planOf(feeCard()), addonOf(feeCard({ billing_cadence: null }))],
      [`rate_card_billing_cadence_mismatch ${C}.billing_cadence`],
    ],
    [() => [planOf(sso({ type: 'boolean' })), addonOf(sso({ type: 'boolean' }))], []],
    [
      () => [planOf(sso({ type: 'boolean' })), addonOf(sso({ type: 'static', config: 1 }))],
      [`rate_card_entitlement_template_type_mismatch ${C}.entitlement.type`],
    ],
    [
      () => [planOf(sso({ type: 'static', config: 1 })), addonOf(sso({ type: 'static', config: 1 }))],
      [`rate_card_static_entitlement_template_not_allowed ${C}.entitlement.type`],
    ],
    [
      () => [
        planOf(usageCard(catalog, { entitlement: metered('P1D') })),
        addonOf(usageCard(catalog, { price: { type: 'free' }, entitlement: metered('P1M') })),
      ],
      [`rate_card_metered_entitlement_template_usage_period_mismatch ${C}.entitlement.usage_period`],
    ],
    [
      () => [planOf(feeCard({ discounts: { percentage: 1 } })), addonOf(feeCard({ discounts: { percentage: 1 } }))],
      [`rate_card_percentage_discount_not_allowed ${C}.discounts.percentage`],
    ],
    [
      () => [planOf(usageCard(catalog, packages('5000'))), addonOf(usageCard(catalog, { ...packages('1000') }))],
      [`rate_card_only_flat_price_allowed ${C}.price`, `addon_rate_card_unit_config_mismatch ${C}.unit_config`],
    ],
    [
      () => [planOf(usageCard(catalog, packages('5000'))), addonOf(usageCard(catalog, packages('5000.0')))],
      [`rate_card_only_flat_price_allowed ${C}.price`],
    ],
    // Currencies
    [
      () => [{}, { currency: 'EUR' }],
      ['plan_multiple_fiat_currencies addon.currency', `plan_multiple_fiat_currencies ${C}.currency`],
    ],
    [() => [{}, addonOf(feeCard({ key: 'c', ...inCredits }))], [`currency_cost_basis_not_found ${C}.currency`]],
    [() => [{ currency: 'EUR' }, { currency: 'EUR', ...addonOf(feeCard({ key: 'c', ...inCredits })) }], []],
    [() => [inCredits, {}], [`rate_card_currency_override_not_allowed ${C}.currency`]],
    [() => [planOf(feeCard()), addonOf(feeCard(inCredits))], [`plan_addon_currency_mismatch ${C}.currency`]],
  ])('%#', async (make, expected) => {
    expect(await assigned(...make())).toEqual(expected);
  });

  test('a feature of the same key that was created anew', async () => {
    const first = await createFeature(backend, 'renewed');
    const plan = await calls.createPlan('renewed', planOf(feeCard({ key: 'renewed', feature: { id: first.id } })));
    await calls.ok('DELETE', `/features/${first.id}`);
    const second = await createFeature(backend, 'renewed');
    const addon = await calls.publishAddon('renewed', addonOf(feeCard({ key: 'renewed', feature: { id: second.id } })));
    const body = { name: 'A', addon: { id: addon.id }, from_plan_phase: 'default' };
    const { validation_errors } = await calls.ok('POST', `/plans/${plan.id}/addons`, body);
    for (const { code } of validation_errors) seen.add(code);
    expect(validation_errors).toMatchObject([{ code: 'rate_card_feature_id_mismatch', field: `${C}.feature` }]);
  });

  test('one that is archived later', async () => {
    const plan = await calls.createPlan('archived_addon');
    const addon = await calls.publishAddon('archived_addon');
    const body = { name: 'A', addon: { id: addon.id }, from_plan_phase: 'default' };
    const { id } = await calls.ok('POST', `/plans/${plan.id}/addons`, body);
    await calls.ok('POST', `/addons/${addon.id}/archive`);
    const { validation_errors } = await calls.ok('GET', `/plans/${plan.id}/addons/${id}`);
    for (const { code } of validation_errors) seen.add(code);
    expect(validation_errors).toMatchObject([{ code: 'plan_addon_incompatible_status', field: 'addon.status' }]);
    expect((await calls.ok('GET', `/plans/${plan.id}`)).validation_errors).toMatchObject([
      {
        code: 'plan_has_incompatible_addon',
        field: 'addons.archived_addon',
        attributes: { plan_addon_id: id, addon_id: addon.id, codes: ['plan_addon_incompatible_status'] },
      },
    ]);
  });
});

test('every code was seen, but for those of changes that a status forbids', () => {
  const ofStatuses = [
    'only_a_single_draft_version_allowed',
    'plan_invalid_status',
    'addon_invalid_status',
    'addon_invalid_status_for_publish',
  ];
  expect([...seen, ...ofStatuses].toSorted()).toEqual(Object.keys(ISSUE_CODES).toSorted());
});
