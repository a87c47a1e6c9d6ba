import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { TOKENS } from '../../../support/backend.ts';
import { feeCard, phase, usageCard } from '../../../support/catalog/plans.ts';
import { openShop, type Shop, spans } from '../../../support/customers/shop.ts';

const NOW = '2026-01-31T15:00:00Z';
let shop: Shop;
let basic: Json;
beforeAll(async () => {
  shop = await openShop(NOW);
  basic = await shop.plan('basic', { phases: [phase([feeCard(), usageCard(shop.catalog)])] });
});
afterAll(() => shop.close());

describe('POST /subscriptions', () => {
  test('201: to a plan by key, from now on, billed on the day it begins', async () => {
    const customer = await shop.customer({ key: 'acme' });
    const body = { customer: { key: 'acme' }, plan: { key: 'basic' }, labels: { team: 'a' } };
    const answer = await shop.backend.request('POST', '/subscriptions', { body });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      customer_id: customer.id,
      name: 'basic v1',
      labels: { team: 'a' },
      plan_id: basic.id,
      plan: { id: basic.id, key: 'basic', version: 1 },
      status: 'active',
      active_from: NOW,
      billing_anchor: NOW,
      billing_cadence: 'P1M',
      invoice_currency: 'USD',
      cost_basis_mode: 'dynamic',
      cost_basis_pins: [],
      settlement_mode: 'credit_then_invoice',
      pro_rating_config: { enabled: true, mode: 'prorate_prices' },
      current_period: { from: NOW, to: '2026-02-28T15:00:00Z' },
      phases: [{ key: 'default', active_from: NOW, items: [{ active_from: NOW }, { active_from: NOW }] }],
    });
    expect(answer.json).not.toHaveProperty('active_to');
    expect(await shop.ok('GET', `/subscriptions/${answer.json.id}`)).toEqual(answer.json);
    const { rate_cards } = basic.phases[0];
    expect(answer.json.phases[0].items.map((item: Json) => item.rate_card)).toEqual(rate_cards);
  });

  test('with the first of the month as anchor, the first period is short', async () => {
    const subscription = await shop.subscribe(await shop.customer(), basic, { billing_anchor: '2026-01-01T00:00:00Z' });
    expect(subscription.current_period).toEqual({ from: NOW, to: '2026-02-01T00:00:00Z' });
  });

  test('the first paid subscription settles the currency; another one is refused, a free one is not', async () => {
    const customer = await shop.customer();
    await shop.subscribe(customer, basic);
    expect(await shop.ok('GET', `/customers/${customer.id}`)).toMatchObject({ currency: 'USD' });
    const card = feeCard({ key: 'euros', name: 'Euros' });
    const euros = await shop.plan('euros', { currency: 'EUR', phases: [phase([card])] });
    const body = { customer: { id: customer.id }, plan: { id: euros.id } };
    expect(await shop.refused('POST', '/subscriptions', body)).toMatchObject({
      status: 400,
      json: { invalid_parameters: [{ field: 'plan', reason: 'has prices in EUR, the customer pays in USD' }] },
    });
    const free = await shop.plan('euros_free', {
      currency: 'EUR',
      phases: [phase([feeCard({ key: 'hello', price: { type: 'free' } })])],
    });
    expect(await shop.subscribe(customer, free)).toMatchObject({ status: 'active', invoice_currency: 'EUR' });
  });

  test('from an instant in the future on, it is scheduled; a boundary of the past is refused', async () => {
    const customer = await shop.customer();
    const later = '2026-03-15T00:00:00Z';
    const subscription = await shop.subscribe(customer, basic, { timing: later });
    expect(subscription).toMatchObject({ status: 'scheduled', active_from: later, billing_anchor: later });
    expect(subscription).not.toHaveProperty('current_period');
    for (const timing of ['2026-01-31T14:59:59Z', 'next_billing_cycle', 'soon']) {
      const body = { customer: { id: customer.id }, plan: { id: basic.id }, timing };
      expect(await shop.refused('POST', '/subscriptions', body)).toMatchObject({
        status: 400,
        json: { invalid_parameters: [{ field: 'timing' }] },
      });
    }
  });

  test('phases follow each other by the calendar; starting later skips the earlier ones', async () => {
    const phases = [
      phase([feeCard({ key: 'trial_fee', price: { type: 'free' } })], { key: 'trial', name: 'Trial', duration: 'P1M' }),
      phase([feeCard({ key: 'ramp_fee' })], { key: 'ramp', name: 'Ramp', duration: 'P1M' }),
      phase([feeCard({ key: 'full_fee' })]),
    ];
    const plan = await shop.plan('phased', { phases });
    const whole = await shop.subscribe(await shop.customer(), plan);
    expect(spans(whole.phases)).toEqual([
      '2026-01-31T15:00:00Z..2026-02-28T15:00:00Z',
      '2026-02-28T15:00:00Z..2026-03-31T15:00:00Z',
      '2026-03-31T15:00:00Z..',
    ]);
    const short = await shop.subscribe(await shop.customer(), plan, { starting_phase: 'ramp' });
    expect(spans(short.phases)).toEqual([`${NOW}..${NOW}`, `${NOW}..2026-02-28T15:00:00Z`, '2026-02-28T15:00:00Z..']);
    expect(short.phases[0].items).toEqual([]);
    const body = { customer: { id: (await shop.customer()).id }, plan: { id: plan.id }, starting_phase: 'none' };
    expect(await shop.refused('POST', '/subscriptions', body)).toMatchObject({ status: 400 });
  });

  test('a custom plan is copied with its rules checked', async () => {
    const custom_plan = {
      name: 'Made for Acme',
      currency: 'USD',
      billing_cadence: 'P3M',
      pro_rating_enabled: false,
      phases: [phase([feeCard({ key: 'custom', billing_cadence: 'P3M' })])],
    };
    const customer = await shop.customer();
    const create = (fields: Json) =>
      shop.backend.request('POST', '/subscriptions', { body: { customer: { id: customer.id }, ...fields } });
    const { status, json } = await create({ custom_plan });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      name: 'Made for Acme',
      billing_cadence: 'P3M',
      pro_rating_config: { enabled: false, mode: 'no_proration' },
      current_period: { to: '2026-04-30T15:00:00Z' },
    });
    expect(json).not.toHaveProperty('plan');
    const wrong = { ...custom_plan, phases: [phase([usageCard(shop.catalog, { feature: { id: UNKNOWN_ID } })])] };
    expect(await create({ custom_plan: wrong })).toMatchObject({
      status: 400,
      json: {
        extensions: { validationErrors: [{ field: expect.stringContaining('custom_plan.phases.0.rate_cards.0') }] },
      },
    });
    expect(await create({ custom_plan, plan: { id: basic.id } })).toMatchObject({ status: 400 });
    expect(await create({})).toMatchObject({ status: 400, json: { invalid_parameters: [{ field: 'plan' }] } });
  });

  test('400 and 404: references that lead nowhere', async () => {
    const customer = { id: (await shop.customer()).id };
    const refuse = (body: Json) => shop.refused('POST', '/subscriptions', body);
    const plan = { id: basic.id };
    expect(await refuse({ customer: {}, plan })).toMatchObject({
      status: 400,
      json: {
        invalid_parameters: [
          { field: 'customer.id', rule: 'required' },
          { field: 'customer.key', rule: 'required' },
        ],
      },
    });
    expect(await refuse({ customer, plan: {} })).toMatchObject({
      status: 400,
      json: { invalid_parameters: [{ field: 'plan.id' }, { field: 'plan.key' }] },
    });
    expect((await refuse({ customer: { id: UNKNOWN_ID }, plan })).status).toBe(404);
    expect((await refuse({ customer: { key: 'nobody' }, plan })).status).toBe(404);
    expect((await refuse({ customer: { ...customer, key: 'other' }, plan })).status).toBe(400);
    expect((await refuse({ customer, plan: { id: UNKNOWN_ID } })).status).toBe(404);
    expect((await refuse({ customer, plan: { key: 'nothing' } })).status).toBe(404);
    expect((await refuse({ customer, plan: { key: 'basic', version: 9 } })).status).toBe(404);
    expect((await refuse({ customer, plan: { id: basic.id, version: 9 } })).status).toBe(400);
    expect((await refuse({ customer, plan, surprise: 1 })).status).toBe(400);
  });

  test('400: only an active version can be subscribed to', async () => {
    const draft = await shop.ok('POST', '/plans', {
      key: 'drafted',
      name: 'Drafted',
      currency: 'USD',
      billing_cadence: 'P1M',
      phases: [phase([feeCard()])],
    });
    const archived = await shop.plan('archived');
    await shop.ok('POST', `/plans/${archived.id}/archive`);
    const customer = { id: (await shop.customer()).id };
    for (const plan of [{ id: draft.id }, { key: 'drafted' }, { id: archived.id }, { key: 'archived' }]) {
      const answer = await shop.refused('POST', '/subscriptions', { customer, plan });
      expect(answer).toMatchObject({ status: 400, json: { invalid_parameters: [{ field: 'plan' }] } });
    }
    await shop.ok('DELETE', `/plans/${draft.id}`);
    const deleted = await shop.refused('POST', '/subscriptions', { customer, plan: { id: draft.id } });
    expect(deleted).toMatchObject({ status: 400, json: { detail: 'plan: drafted v1 was deleted' } });
  });

  test('412: a deleted customer buys nothing', async () => {
    const customer = await shop.customer();
    await shop.ok('DELETE', `/customers/${customer.id}`);
    const body = { customer: { id: customer.id }, plan: { id: basic.id } };
    expect((await shop.refused('POST', '/subscriptions', body)).status).toBe(412);
  });

  test('409: of a feature, one subscription at a time; other features, and other times, are free', async () => {
    const customer = await shop.customer();
    const first = await shop.subscribe(customer, basic);
    const usageOnly = await shop.plan('usage_only', { phases: [phase([usageCard(shop.catalog)])] });
    const body = { customer: { id: customer.id }, plan: { id: usageOnly.id } };
    expect(await shop.refused('POST', '/subscriptions', body)).toMatchObject({
      status: 409,
      json: {
        extensions: {
          validationErrors: [
            {
              code: 'only_single_subscription_item_allowed_at_a_time',
              field: 'items.requests',
              attributes: { subscription: { id: first.id }, item_key: 'requests' },
            },
          ],
        },
      },
    });
    const other = await shop.plan('other_feature', { phases: [phase([feeCard({ key: 'other_fee' })])] });
    expect(await shop.subscribe(customer, other)).toMatchObject({ status: 'active' });
    await shop.ok('POST', `/subscriptions/${first.id}/cancel`, { timing: 'next_billing_cycle' });
    expect((await shop.refused('POST', '/subscriptions', body)).status).toBe(409);
    const after = await shop.subscribe(customer, usageOnly, { timing: '2026-02-28T15:00:00Z' });
    expect(after.status).toBe('scheduled');
  });
});

describe('the rest of reading', () => {
  test('GET /subscriptions pages, sorts and filters', async () => {
    const customer = await shop.customer();
    const ended = await shop.subscribe(customer, basic);
    await shop.ok('POST', `/subscriptions/${ended.id}/cancel`, {});
    const active = await shop.subscribe(customer, basic);
    const coming = await shop.plan('coming', { phases: [phase([feeCard({ key: 'coming' })])] });
    const scheduled = await shop.subscribe(customer, coming, { timing: '2026-05-01T00:00:00Z' });
    const list = async (query: string) =>
      (await shop.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}${query}`)).data.map(
        ({ id }: Json) => id,
      );
    expect(await list('')).toEqual([ended.id, active.id, scheduled.id]);
    expect(await list('&sort=id%20desc')).toEqual([scheduled.id, active.id, ended.id]);
    expect(await list('&filter[status]=active')).toEqual([active.id]);
    expect(await list('&filter[status][oeq]=inactive,scheduled')).toEqual([ended.id, scheduled.id]);
    expect(await list('&filter[plan_key]=coming')).toEqual([scheduled.id]);
    expect(await list(`&filter[plan_id][neq]=${coming.id}`)).toEqual([ended.id, active.id]);
    expect(await list(`&filter[id]=${active.id}`)).toEqual([active.id]);
    const page = await shop.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}&page[size]=2&page[number]=2`);
    expect(page).toMatchObject({ data: [{ id: scheduled.id }], meta: { page: { number: 2, size: 2, total: 3 } } });
    expect((await shop.refused('GET', '/subscriptions?filter[name]=x')).status).toBe(400);
    expect((await shop.refused('GET', '/subscriptions?sort=name')).status).toBe(400);
  });

  test('the customer list filters by the plans that customers are subscribed to', async () => {
    const [one, two, none] = [await shop.customer(), await shop.customer(), await shop.customer()];
    const gold = await shop.plan('gold', { phases: [phase([feeCard({ key: 'gold' })])] });
    const extra = await shop.plan('gold_extra', { phases: [phase([feeCard({ key: 'extra' })])] });
    await shop.subscribe(one, gold);
    await shop.subscribe(one, extra);
    const given = await shop.subscribe(two, gold);
    const keys = async (query: string) =>
      (await shop.ok('GET', `/customers?page[size]=500&${query}`)).data.map(({ key }: Json) => key);
    expect(await keys('filter[plan_key]=gold')).toEqual([one.key, two.key]);
    expect(await keys('filter[plan_key]=gold_extra')).toEqual([one.key]);
    expect(await keys('filter[plan_key][contains]=OLD_EX')).toEqual([one.key]);
    expect(await keys('filter[plan_key][exists]=false')).toContain(none.key);
    expect(await keys('filter[plan_key][neq]=gold_extra')).not.toContain(one.key);
    await shop.ok('POST', `/subscriptions/${given.id}/cancel`, {});
    expect(await keys('filter[plan_key]=gold')).toEqual([one.key]);
  });

  test('401, 403, 404', async () => {
    const { backend } = shop;
    expect(await backend.request('GET', '/subscriptions', { token: null })).toMatchObject({ status: 401 });
    const body = { customer: { key: 'acme' }, plan: { key: 'basic' } };
    const viewed = await backend.request('POST', '/subscriptions', { body, token: TOKENS.viewer });
    expect(viewed.status).toBe(403);
    expect((await shop.refused('GET', `/subscriptions/${UNKNOWN_ID}`)).status).toBe(404);
    expect((await shop.refused('GET', '/subscriptions/basic')).status).toBe(404);
  });
});
