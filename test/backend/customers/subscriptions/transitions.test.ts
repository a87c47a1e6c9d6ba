import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { feeCard, phase, usageCard } from '../../../support/catalog/plans.ts';
import { openShop, type Shop } from '../../../support/customers/shop.ts';

const NOW = '2026-01-10T09:00:00Z';
const NEXT = '2026-02-10T09:00:00Z';
let shop: Shop;
let basic: Json;
let premium: Json;
let customer: Json;
beforeAll(async () => {
  shop = await openShop(NOW);
  basic = await shop.plan('basic', { phases: [phase([feeCard(), usageCard(shop.catalog)])] });
  premium = await shop.plan('premium', { phases: [phase([usageCard(shop.catalog), feeCard({ key: 'gold' })])] });
});
afterAll(() => shop.close());
beforeEach(async () => {
  shop.backend.clock.set(NOW);
  customer = await shop.customer();
});

const post = (subscription: Json, action: string, body?: unknown) =>
  shop.ok('POST', `/subscriptions/${subscription.id}/${action}`, body);
const refuse = (subscription: Json, action: string, body?: unknown) =>
  shop.refused('POST', `/subscriptions/${subscription.id}/${action}`, body);
const toPremium = (timing: string, fields: Json = {}) => ({
  customer: { id: customer.id },
  plan: { id: premium.id },
  timing,
  ...fields,
});

describe('which action is allowed in which state', () => {
  const BODIES: Record<string, Json> = {
    cancel: {},
    'unschedule-cancelation': undefined,
    unschedule: undefined,
    restore: undefined,
    edit: { customizations: [{ type: 'unschedule_edit' }] },
    migrate: {},
    change: { customer: { key: 'any' }, plan: { key: 'premium' }, timing: 'immediate' },
    addons: { addon: { id: UNKNOWN_ID }, quantity: 1, timing: 'immediate' },
  };
  const ALLOWED: Record<string, string[]> = {
    active: ['cancel', 'edit', 'migrate', 'change', 'addons'],
    canceled: ['unschedule-cancelation', 'restore'],
    scheduled: ['unschedule'],
    inactive: [],
  };
  const inState: Record<string, () => Promise<Json>> = {
    active: () => shop.subscribe(customer, basic),
    canceled: async () => post(await shop.subscribe(customer, basic), 'cancel', { timing: 'next_billing_cycle' }),
    scheduled: () => shop.subscribe(customer, basic, { timing: NEXT }),
    inactive: async () => post(await shop.subscribe(customer, basic), 'cancel', { timing: 'immediate' }),
  };

  test.each(Object.keys(ALLOWED))('%s', async (state) => {
    const subscription = await inState[state]?.();
    expect(subscription.status).toBe(state);
    for (const [action, body] of Object.entries(BODIES)) {
      if (ALLOWED[state]?.includes(action)) continue;
      const { status, json } = await refuse(subscription, action, body);
      expect([action, status, json.detail]).toEqual([
        action,
        403,
        expect.stringMatching(new RegExp(`^transition \\w+ in state ${state} not allowed$`)),
      ]);
    }
    expect(await shop.ok('GET', `/subscriptions/${subscription.id}`)).toEqual(subscription);
  });

  test.each(Object.keys(BODIES))('404: %s of an unknown subscription', async (action) => {
    expect((await refuse({ id: UNKNOWN_ID }, action, BODIES[action])).status).toBe(404);
  });
});

describe('cancel and go on', () => {
  test('immediately: it ends now, and is cut to now', async () => {
    const subscription = await shop.subscribe(customer, basic);
    shop.backend.clock.set('2026-01-20T00:00:00Z');
    const canceled = await post(subscription, 'cancel', {});
    expect(canceled).toMatchObject({ status: 'inactive', active_to: '2026-01-20T00:00:00Z' });
    expect(canceled).not.toHaveProperty('current_period');
    expect(canceled.phases[0].active_to).toBe('2026-01-20T00:00:00Z');
    expect(canceled.phases[0].items.map((item: Json) => item.active_to)).toEqual(Array(2).fill('2026-01-20T00:00:00Z'));
  });

  test('at the end of the billing period: served and billed until then; taken back, everything is as it was', async () => {
    const subscription = await shop.subscribe(customer, basic);
    shop.backend.clock.set('2026-01-20T00:00:00Z');
    const canceled = await post(subscription, 'cancel', { timing: 'next_billing_cycle' });
    expect(canceled).toMatchObject({ status: 'canceled', active_to: NEXT, current_period: { from: NOW, to: NEXT } });
    const again = await post(subscription, 'unschedule-cancelation');
    expect(again).toEqual({ ...subscription, updated_at: '2026-01-20T00:00:00Z' });
    shop.backend.clock.set('2026-03-01T00:00:00Z');
    const running = await shop.ok('GET', `/subscriptions/${subscription.id}`);
    expect(running).toMatchObject({
      status: 'active',
      current_period: { from: NEXT, to: '2026-03-10T09:00:00Z' },
    });
  });

  test('at an instant: only at a border between billing periods, in the future', async () => {
    const subscription = await shop.subscribe(customer, basic);
    for (const timing of ['2026-02-01T00:00:00Z', '2026-01-10T08:59:59Z']) {
      const { status, json } = await refuse(subscription, 'cancel', { timing });
      expect([status, json.invalid_parameters[0].field]).toEqual([400, 'timing']);
    }
    const { json } = await refuse(subscription, 'cancel', { timing: '2026-02-01T00:00:00Z' });
    expect(json.detail).toContain('cannot cancel aligned subscription with custom misaligned timing');
    const canceled = await post(subscription, 'cancel', { timing: '2026-04-10T09:00:00Z' });
    expect(canceled).toMatchObject({ status: 'canceled', active_to: '2026-04-10T09:00:00Z' });
  });

  test('the start of a phase is a border too, and phases after the end have no time', async () => {
    const plan = await shop.plan('phases', {
      phases: [
        phase([feeCard({ key: 'a', name: 'A' })], { key: 'first', name: 'First', duration: 'P10D' }),
        phase([feeCard({ key: 'b', name: 'B' })]),
      ],
    });
    const subscription = await shop.subscribe(customer, plan);
    expect(subscription.current_period).toEqual({ from: NOW, to: '2026-01-20T09:00:00Z' });
    const canceled = await post(subscription, 'cancel', { timing: '2026-01-20T09:00:00Z' });
    expect(canceled.phases[1]).toMatchObject({
      active_from: '2026-01-20T09:00:00Z',
      active_to: '2026-01-20T09:00:00Z',
      items: [],
    });
  });

  test('409: what began meanwhile stands in the way of going on', async () => {
    const subscription = await shop.subscribe(customer, basic);
    await post(subscription, 'cancel', { timing: 'next_billing_cycle' });
    await shop.subscribe(customer, premium, { timing: NEXT });
    const { status, json } = await refuse(subscription, 'unschedule-cancelation');
    expect([status, json.extensions.validationErrors[0].code]).toEqual([
      409,
      'only_single_subscription_item_allowed_at_a_time',
    ]);
    expect(await shop.ok('GET', `/subscriptions/${subscription.id}`)).toMatchObject({ status: 'canceled' });
  });
});

describe('change', () => {
  test('immediately: one ends where the next begins, and the anchor and the labels stay', async () => {
    const subscription = await shop.subscribe(customer, basic, { labels: { team: 'x' } });
    shop.backend.clock.set('2026-01-25T00:00:00Z');
    const { current, next } = await post(subscription, 'change', toPremium('immediate'));
    expect(current).toMatchObject({ id: subscription.id, status: 'inactive', active_to: '2026-01-25T00:00:00Z' });
    expect(next).toMatchObject({
      status: 'active',
      customer_id: customer.id,
      active_from: '2026-01-25T00:00:00Z',
      billing_anchor: NOW,
      plan: { key: 'premium' },
      name: 'premium v1',
      labels: { team: 'x' },
      current_period: { from: '2026-01-25T00:00:00Z', to: NEXT },
    });
    expect(next.id).not.toBe(subscription.id);
  });

  test('with the next cycle, with other labels and another anchor', async () => {
    const subscription = await shop.subscribe(customer, basic, { labels: { team: 'x' } });
    const fields = { labels: { team: 'y' }, billing_anchor: '2026-01-01T00:00:00Z' };
    const { current, next } = await post(subscription, 'change', toPremium('next_billing_cycle', fields));
    expect(current).toMatchObject({ status: 'canceled', active_to: NEXT });
    expect(next).toMatchObject({
      status: 'scheduled',
      active_from: NEXT,
      labels: { team: 'y' },
      billing_anchor: '2026-01-01T00:00:00Z',
    });
    expect((await refuse(next, 'change', toPremium('immediate'))).status).toBe(403);
  });

  test('400 without timing and at an instant inside a period; nothing is changed', async () => {
    const subscription = await shop.subscribe(customer, basic);
    const { timing: _, ...without } = toPremium('immediate');
    expect((await refuse(subscription, 'change', without)).json.invalid_parameters[0].field).toBe('timing');
    expect((await refuse(subscription, 'change', toPremium('2026-01-25T00:00:00Z'))).status).toBe(400);
    expect(await shop.ok('GET', `/subscriptions/${subscription.id}`)).toEqual(subscription);
  });

  test('a scheduled successor can be unscheduled, and the first one goes on', async () => {
    const subscription = await shop.subscribe(customer, basic);
    const { next } = await post(subscription, 'change', toPremium('next_billing_cycle'));
    const { status, json } = await refuse(subscription, 'unschedule-cancelation');
    expect([status, json.detail]).toEqual([409, expect.stringContaining(next.id)]);
    const answer = await shop.backend.request('POST', `/subscriptions/${next.id}/unschedule`);
    expect(answer.status).toBe(204);
    expect(await shop.ok('GET', `/subscriptions/${next.id}`)).toMatchObject({ status: 'inactive', deleted_at: NOW });
    expect(await post(subscription, 'unschedule-cancelation')).toEqual(subscription);
    const listed = await shop.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}`);
    expect(listed.meta.page.total).toBe(1);
  });

  test('restore deletes the whole chain of successors at once', async () => {
    const subscription = await shop.subscribe(customer, basic);
    const { next } = await post(subscription, 'change', toPremium('next_billing_cycle'));
    expect(await post(subscription, 'restore')).toEqual(subscription);
    expect(await shop.ok('GET', `/subscriptions/${next.id}`)).toHaveProperty('deleted_at');
    expect((await refuse(subscription, 'restore')).status).toBe(403);
  });

  test('restore does not touch a successor that has begun', async () => {
    const subscription = await shop.subscribe(customer, basic);
    const { next } = await post(subscription, 'change', toPremium('next_billing_cycle'));
    shop.backend.clock.set(NEXT);
    expect((await refuse(subscription, 'restore')).status).toBe(403);
    expect(await shop.ok('GET', `/subscriptions/${next.id}`)).toMatchObject({ status: 'active' });
  });
});

describe('migrate', () => {
  const versions = async (key: string) => {
    const fields = (amount: string, extra: Json[]) => ({
      phases: [phase([feeCard({ price: { type: 'flat', amount } }), usageCard(shop.catalog), ...extra])],
    });
    const first = await shop.plan(key, fields('10', [feeCard({ key: 'old', name: 'Old' })]));
    return { first, second: () => shop.plan(key, fields('12', [feeCard({ key: 'new', name: 'New' })])) };
  };

  test('in place: what says the same goes on, the rest ends and begins', async () => {
    const { first, second } = await versions('moving');
    const subscription = await shop.subscribe(customer, first);
    expect((await refuse(subscription, 'migrate', {})).json.invalid_parameters[0].field).toBe('target_version');
    await second();
    shop.backend.clock.set('2026-01-20T00:00:00Z');
    const { current, next } = await post(subscription, 'migrate', {});
    expect(next).toEqual(current);
    expect(next).toMatchObject({ id: subscription.id, plan: { key: 'moving', version: 2 }, name: 'moving v2' });
    const stretches = next.phases[0].items.map((item: Json) => [
      item.rate_card.key,
      item.rate_card.price.amount,
      item.active_from,
      item.active_to,
    ]);
    expect(stretches).toEqual([
      ['fee', '10', NOW, '2026-01-20T00:00:00Z'],
      ['fee', '12', '2026-01-20T00:00:00Z', undefined],
      ['requests', '0.01', NOW, undefined],
      ['old', '10', NOW, '2026-01-20T00:00:00Z'],
      ['new', '10', '2026-01-20T00:00:00Z', undefined],
    ]);
    const idOf = (of: Json, key: string) => of.phases[0].items.find((item: Json) => item.rate_card.key === key).id;
    expect(idOf(next, 'requests')).toBe(idOf(subscription, 'requests'));
    expect((await refuse(next, 'migrate', { target_version: 1 })).status).toBe(400);
    expect((await refuse(next, 'migrate', { target_version: 3 })).status).toBe(404);
  });

  test('with another anchor or a starting phase, a new subscription takes over', async () => {
    const { first, second } = await versions('replacing');
    const subscription = await shop.subscribe(customer, first);
    await second();
    const body = { billing_anchor: '2026-01-01T00:00:00Z', timing: 'next_billing_cycle' };
    const { current, next } = await post(subscription, 'migrate', body);
    expect(current).toMatchObject({ id: subscription.id, status: 'canceled', active_to: NEXT });
    expect(next).toMatchObject({ status: 'scheduled', plan: { version: 2 }, active_from: NEXT });
    expect(next.id).not.toBe(subscription.id);
  });

  test('a custom plan has no versions', async () => {
    const custom_plan = { name: 'Own', currency: 'USD', billing_cadence: 'P1M', phases: [phase([feeCard()])] };
    const body = { customer: { id: customer.id }, custom_plan };
    const subscription = await shop.ok('POST', '/subscriptions', body);
    expect((await refuse(subscription, 'migrate', {})).status).toBe(400);
  });
});

describe('what a customer with subscriptions may not do', () => {
  test('412: be deleted; the answer names them. Afterwards it may', async () => {
    const subscription = await shop.subscribe(customer, basic);
    expect(await shop.refused('DELETE', `/customers/${customer.id}`)).toMatchObject({
      status: 412,
      json: {
        extensions: {
          validationErrors: [
            {
              code: 'deleting_customer_with_active_subscriptions',
              attributes: { subscriptions: [subscription.id] },
            },
          ],
        },
      },
    });
    await post(subscription, 'cancel', {});
    await shop.ok('DELETE', `/customers/${customer.id}`);
  });

  test('400: change its subject keys; scheduled and ended subscriptions do not mind', async () => {
    const put = (subject_keys: string[]) =>
      shop.backend.request('PUT', `/customers/${customer.id}`, {
        body: { name: 'n', currency: 'USD', usage_attribution: { subject_keys } },
      });
    const scheduled = await shop.subscribe(customer, basic, { timing: NEXT });
    expect((await put(['a', `${customer.key}-b`])).status).toBe(200);
    shop.backend.clock.set(NEXT);
    expect(await put(['other'])).toMatchObject({
      status: 400,
      json: { extensions: { validationErrors: [{ field: 'usage_attribution.subject_keys' }] } },
    });
    await post(scheduled, 'cancel', {});
    expect((await put([`${customer.key}-c`])).status).toBe(200);
  });

  test('a test clock for a customer with subscriptions: it keeps the time it has', async () => {
    await shop.subscribe(customer, basic);
    const body = { now: '2027-01-01T00:00:00Z' };
    expect((await shop.refused('PUT', `/customers/${customer.id}/test-clock`, body)).status).toBe(409);
  });
});

describe('on a test clock', () => {
  test('months go by for the sandbox customer alone', async () => {
    const other = await shop.subscribe(await shop.customer(), basic);
    await shop.ok('PUT', `/customers/${customer.id}/test-clock`, { now: '2027-01-31T00:00:00Z' });
    const subscription = await shop.subscribe(customer, basic);
    expect(subscription).toMatchObject({ status: 'active', active_from: '2027-01-31T00:00:00Z' });
    const advance = (by: string) => shop.ok('POST', `/customers/${customer.id}/test-clock/advance`, { by });
    const periods = [subscription.current_period];
    for (let month = 0; month < 3; month++) {
      await advance('P1M');
      periods.push((await shop.ok('GET', `/subscriptions/${subscription.id}`)).current_period);
    }
    expect(periods.map(({ from, to }) => `${from.slice(5, 10)}..${to.slice(5, 10)}`)).toEqual([
      '01-31..02-28',
      '02-28..03-31',
      '02-28..03-31',
      '03-31..04-30',
    ]);
    await post(subscription, 'cancel', { timing: 'next_billing_cycle' });
    const status = async (query: string) =>
      (await shop.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}&filter[status]=${query}`)).meta.page
        .total;
    expect([await status('canceled'), await status('inactive')]).toEqual([1, 0]);
    await advance('P1M');
    expect([await status('canceled'), await status('inactive')]).toEqual([0, 1]);
    expect(await shop.ok('GET', `/subscriptions/${other.id}`)).toEqual(other);
    expect((await shop.refused('DELETE', `/customers/${customer.id}/test-clock`)).status).toBe(409);
  });
});
