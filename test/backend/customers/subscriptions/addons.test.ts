import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { subscriptionLines } from '../../../../backend/customers/subscriptions/index.ts';
import { subscriptionRepository } from '../../../../backend/customers/subscriptions/repository.ts';
import { subscriptionView } from '../../../../backend/customers/subscriptions/view.ts';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { feeCard, phase, usageCard } from '../../../support/catalog/plans.ts';
import { openControlPlane } from '../../../support/control-engine.ts';
import { openShop, type Shop } from '../../../support/customers/shop.ts';

const NOW = '2026-01-01T00:00:00Z';
const MID = '2026-01-16T00:00:00Z';
let shop: Shop;
let seats: Json;
let support: Json;
let late: Json;
let stranger: Json;
let plan: Json;
let customer: Json;
let subscription: Json;
const metered = (limit: number) => ({ type: 'metered', limit, usage_period: 'P1M' });
beforeAll(async () => {
  shop = await openShop(NOW);
  const requests = usageCard(shop.catalog, { price: { type: 'free' }, entitlement: metered(1000) });
  seats = await shop.addon('seats', {
    rate_cards: [
      feeCard({ key: 'fee', price: { type: 'flat', amount: '3' }, payment_term: 'in_advance' }),
      usageCard(shop.catalog, { price: { type: 'free' }, entitlement: metered(500) }),
      feeCard({ key: 'setup', name: 'Setup', price: { type: 'flat', amount: '30' }, billing_cadence: undefined }),
    ],
  });
  support = await shop.addon('support', { instance_type: 'single' });
  late = await shop.addon('late', { rate_cards: [feeCard({ key: 'late', name: 'Late' })] });
  stranger = await shop.addon('stranger', { rate_cards: [feeCard({ key: 'stranger', name: 'Stranger' })] });
  const fee = feeCard({ price: { type: 'flat', amount: '10' }, payment_term: 'in_advance' });
  plan = await shop.planWithAddons(
    'team',
    [[seats, { max_quantity: 5 }], [support], [late, { from_plan_phase: 'second' }]],
    {
      phases: [phase([fee, requests], { duration: 'P3M' }), phase([fee, requests], { key: 'second', name: 'Second' })],
    },
  );
});
afterAll(() => shop.close());
beforeEach(async () => {
  shop.backend.clock.set(NOW);
  customer = await shop.customer();
  subscription = await shop.subscribe(customer, plan);
  shop.backend.clock.set(MID);
});

const path = () => `/subscriptions/${subscription.id}/addons`;
const buy = (addon: Json, quantity = 1, timing = 'immediate', fields: Json = {}) =>
  shop.ok('POST', path(), { addon: { id: addon.id }, quantity, timing, ...fields });
const change = (bought: Json, quantity: number, timing = 'immediate') =>
  shop.ok('PATCH', `${path()}/${bought.id}`, { quantity, timing });
const linesOf = async (until: string) => {
  const db = await openControlPlane(shop.backend.dataDir);
  const found = await subscriptionRepository(db).byId(subscription.id);
  await db.close();
  if (found === undefined) throw new Error('no such subscription');
  const untilMs = Date.parse(until);
  return subscriptionLines(subscriptionView(found, untilMs), { untilMs }).map((line) => {
    const { price } = line.item.rateCard.terms;
    const name = line.identity.replace(`${subscription.id}/`, '');
    const days = [line.servicePeriod.fromMs, line.servicePeriod.toMs].map((at) =>
      new Date(at).toISOString().slice(5, 10),
    );
    return `${name} ${days.join('..')} ${price.type === 'flat' ? price.amount : price.type}`;
  });
};

describe('what buying does', () => {
  test('201, and it can be read; access adds up, fees stand beside those that were there', async () => {
    const before = await linesOf('2026-01-31T00:00:00Z');
    expect(before).toEqual(['default/fee/v[0]/period[0] 01-01..02-01 10']);
    const bought = await buy(seats, 2, 'immediate', { labels: { by: 'alice' }, name: 'More seats' });
    expect(bought).toMatchObject({
      name: 'More seats',
      labels: { by: 'alice' },
      addon: { id: seats.id },
      quantity: 2,
      quantity_at: MID,
      active_from: MID,
      timeline: [{ active_from: MID, quantity: 2 }],
    });
    expect(bought).not.toHaveProperty('active_to');
    expect(await shop.ok('GET', `${path()}/${bought.id}`)).toEqual(bought);
    expect((await shop.ok('GET', path())).data).toEqual([bought]);
    const { phases } = await shop.ok('GET', `/subscriptions/${subscription.id}`);
    const limits = phases[0].items.map((item: Json) => [item.rate_card.key, item.rate_card.entitlement?.limit]);
    expect(limits).toEqual([
      ['fee', undefined],
      ['fee', undefined],
      ['requests', 1000],
      ['requests', 2000],
      ['setup', undefined],
    ]);
    const affected = bought.rate_cards.map((card: Json) => card.affected_subscription_item_ids);
    expect(affected[1]).toEqual(
      [...phases[0].items, ...phases[1].items]
        .filter((item: Json) => item.rate_card.entitlement?.limit === 2000)
        .map((item: Json) => item.id),
    );
    expect(await linesOf('2026-01-31T00:00:00Z')).toEqual([...before, 'default/fee/v[1]/period[0] 01-16..02-01 6']);
  });

  test('a one-time fee is owed once, for what is bought, and stays when the add-on is given up', async () => {
    const bought = await buy(seats, 2);
    shop.backend.clock.set('2026-01-20T00:00:00Z');
    await change(bought, 3);
    shop.backend.clock.set('2026-01-25T00:00:00Z');
    await change(bought, 0);
    const setup = (await linesOf('2026-12-31T00:00:00Z')).filter((line) => line.includes('/setup/'));
    expect(setup).toEqual(['default/setup/v[0] 01-16..04-01 60', 'default/setup/v[1] 01-20..04-01 30']);
  });

  test('more of it adds a fee, less of it ends the newest; what was paid in advance keeps its line', async () => {
    const bought = await buy(seats, 2);
    shop.backend.clock.set('2026-01-20T00:00:00Z');
    await change(bought, 3);
    const less = await change(bought, 1, 'next_billing_cycle');
    expect(less.timeline.map(({ active_from, quantity }: Json) => [active_from, quantity])).toEqual([
      [MID, 2],
      ['2026-01-20T00:00:00Z', 3],
      ['2026-02-01T00:00:00Z', 1],
    ]);
    const fees = (await linesOf('2026-02-15T00:00:00Z')).filter((line) => line.includes('/fee/'));
    expect(fees).toEqual([
      'default/fee/v[0]/period[0] 01-01..02-01 10',
      'default/fee/v[0]/period[1] 02-01..03-01 10',
      'default/fee/v[1]/period[0] 01-16..02-01 6',
      'default/fee/v[2]/period[0] 01-20..02-01 3',
      'default/fee/v[3]/period[0] 02-01..03-01 3',
    ]);
  });

  test('recurring fees run on in later phases', async () => {
    await buy(seats, 1);
    const fees = (await linesOf('2026-04-15T00:00:00Z')).filter((line) => line.startsWith('second/'));
    expect(fees).toEqual(['second/fee/v[0]/period[0] 04-01..05-01 10', 'second/fee/v[1]/period[0] 04-01..05-01 3']);
  });

  test('given up, it can be had again', async () => {
    const bought = await buy(support);
    const gone = await change(bought, 0, '2026-01-20T00:00:00Z');
    expect(gone).toMatchObject({ quantity: 1, active_from: MID, active_to: '2026-01-20T00:00:00Z' });
    shop.backend.clock.set('2026-01-25T00:00:00Z');
    expect(await shop.ok('GET', `${path()}/${bought.id}`)).toMatchObject({ quantity: 1, quantity_at: MID });
    const again = await change(bought, 1);
    expect(again.timeline.map(({ quantity }: Json) => quantity)).toEqual([1, 0, 1]);
    expect(again).not.toHaveProperty('active_to');
  });

  test('from an instant on; the end of the subscription ends it', async () => {
    const bought = await buy(seats, 1, '2026-01-25T00:00:00Z');
    expect(bought).toMatchObject({
      quantity: 1,
      quantity_at: '2026-01-25T00:00:00Z',
      active_from: '2026-01-25T00:00:00Z',
    });
    await shop.ok('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'next_billing_cycle' });
    expect(await shop.ok('GET', `${path()}/${bought.id}`)).toMatchObject({ active_to: '2026-02-01T00:00:00Z' });
    expect((await shop.refused('PATCH', `${path()}/${bought.id}`, { quantity: 2, timing: 'immediate' })).status).toBe(
      403,
    );
  });
});

describe('what is refused', () => {
  const refuse = (addon: Json, quantity = 1, timing = 'immediate') =>
    shop.refused('POST', path(), { addon: { id: addon.id }, quantity, timing });
  const field = ({ status, json }: Json) => [status, json.invalid_parameters?.[0]?.field];

  test('400: quantities, instants and add-ons that the plan does not have', async () => {
    expect(field(await refuse(support, 2))).toEqual([400, 'quantity']);
    expect(field(await refuse(seats, 6))).toEqual([400, 'quantity']);
    expect(field(await refuse(seats, 0))).toEqual([400, 'quantity']);
    expect(field(await refuse(late))).toEqual([400, 'timing']);
    expect(field(await refuse(stranger))).toEqual([400, 'addon']);
    expect(field(await refuse(seats, 1, '2026-01-01T00:00:00Z'))).toEqual([400, 'timing']);
    expect((await refuse({ id: UNKNOWN_ID })).status).toBe(404);
    expect((await shop.refused('GET', `${path()}/${UNKNOWN_ID}`)).status).toBe(404);
    expect(await buy(late, 1, '2026-04-01T00:00:00Z')).toMatchObject({ active_from: '2026-04-01T00:00:00Z' });
  });

  test('400: an add-on that is archived, and one for a custom plan', async () => {
    const custom_plan = {
      name: 'Own',
      currency: 'USD',
      billing_cadence: 'P1M',
      phases: [phase([feeCard({ key: 'own', name: 'Own' })])],
    };
    subscription = await shop.ok('POST', '/subscriptions', { customer: { id: customer.id }, custom_plan });
    expect(field(await refuse(seats))).toEqual([400, 'addon']);
  });

  test('409: bought twice, or a feature that another subscription has', async () => {
    const bought = await buy(seats);
    expect((await refuse(seats)).status).toBe(409);
    await change(bought, 0);
    expect((await refuse(seats)).status).toBe(409);
    const other = await shop.plan(`support_${customer.key.replace('-', '_')}`, {
      phases: [phase([feeCard({ key: 'support', name: 'Support' })])],
    });
    await shop.subscribe(customer, other);
    expect((await refuse(support)).status).toBe(409);
    expect((await shop.ok('GET', path())).data).toHaveLength(1);
  });

  test('403: a subscription with add-ons cannot be edited', async () => {
    await buy(seats);
    const body = { customizations: [{ type: 'unschedule_edit' }] };
    expect((await shop.refused('POST', `/subscriptions/${subscription.id}/edit`, body)).status).toBe(403);
  });

  test('the list pages and sorts', async () => {
    const [first, second] = [await buy(seats), await buy(support)];
    const ids = async (query: string) => (await shop.ok('GET', `${path()}${query}`)).data.map(({ id }: Json) => id);
    expect(await ids('?sort=id%20desc')).toEqual([second.id, first.id]);
    expect(await ids('?page[size]=1&page[number]=2')).toEqual([second.id]);
    expect((await shop.refused('GET', `${path()}?sort=name`)).status).toBe(400);
  });
});

test('a subscription with add-ons that the new version lacks is not migrated, and keeps all it had', async () => {
  const fee = feeCard({ price: { type: 'flat', amount: '10' } });
  const first = await shop.planWithAddons('keeper', [[support]], { phases: [phase([fee])] });
  customer = await shop.customer();
  subscription = await shop.subscribe(customer, first);
  const bought = await buy(support);
  await shop.plan('keeper', { phases: [phase([fee])] });

  const { status, json } = await shop.refused('POST', `/subscriptions/${subscription.id}/migrate`, {});
  expect(status).toBe(409);
  expect(json.detail).toContain('support');
  expect((await shop.ok('GET', `/subscriptions/${subscription.id}`)).plan.version).toBe(1);
  expect((await shop.ok('GET', path())).data.map(({ id }: Json) => id)).toEqual([bought.id]);

  // Given up, it no longer stands in the way.
  await change(bought, 0);
  const { next } = await shop.ok('POST', `/subscriptions/${subscription.id}/migrate`, {});
  expect(next.plan.version).toBe(2);
});
