import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { phase, usageCard } from '../../../support/catalog/plans.ts';
import { openShop, type Shop } from '../../../support/customers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop('2026-03-10T10:00:00Z');
});
afterAll(() => shop.close());

const access = async (customer: Json) =>
  (await shop.ok('GET', `/customers/${customer.id}/entitlement-access`)).data as Json[];

test('a subscription grants what its rate cards say, until it is canceled', async () => {
  const { backend, catalog } = shop;
  const card = usageCard(catalog, { entitlement: { type: 'metered', limit: 3 } });
  const plan = await shop.plan('limited', { phases: [phase([card])] });
  const customer = await shop.customer();
  const subscription = await shop.subscribe(customer, plan);
  const [granted] = await access(customer);
  expect(granted).toMatchObject({ type: 'metered', has_access: true });
  const list = await shop.ok('GET', `/customers/${customer.id}/entitlements`);
  expect(list.data).toMatchObject([
    {
      issue: { amount: '3' },
      usage_period: { interval: 'P1M' },
      subscription: { id: subscription.id },
      active_from: '2026-03-10T10:00:00Z',
    },
  ]);
  const path = `/customers/${customer.id}/entitlements/${list.data[0].id}`;
  expect((await shop.refused('DELETE', path)).status).toBe(403);

  await shop.ok('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });
  expect(await access(customer)).toEqual([]);
  expect((await shop.ok('GET', path)).active_to).toBe('2026-03-10T10:00:00Z');
  backend.clock.advanceMs(1000);
  await shop.subscribe(customer, plan);
  expect(await access(customer)).toHaveLength(1);
});

test("a subscription's limit is raised by grants and reset like any other, and changed only through the subscription", async () => {
  const { backend, catalog } = shop;
  const card = usageCard(catalog, {
    unit_config: { operation: 'divide', conversion_factor: '1000000000' },
    entitlement: { type: 'metered', limit: 100 },
  });
  const plan = await shop.plan('converted', { phases: [phase([card])] });
  const customer = await shop.customer();
  await shop.subscribe(customer, plan);
  const { data } = await shop.ok('GET', `/customers/${customer.id}/entitlements`);
  const path = `/customers/${customer.id}/entitlements/${data[0].id}`;
  const value = async () => (await shop.ok('GET', `${path}/value?expand=value`)).value;
  const grant = { amount: '2.5', effective_at: new Date(backend.clock.nowMs()).toISOString() };
  await shop.ok('POST', `${path}/grants`, grant);
  expect(await value()).toMatchObject({ balance: '102.5', total_available_grant_amount: '102.5' });
  const feature = { id: card.feature.id };
  const body = { type: 'metered', feature, usage_period: { interval: 'P1M' }, issue: { amount: '7' } };
  expect(await shop.refused('PUT', `${path}/override`, body)).toMatchObject({ status: 403 });
  backend.clock.advanceMs(3_600_000);
  const { data: meters } = await shop.ok('GET', '/meters');
  const event = { specversion: '1.0', id: 'big', source: 'test', type: meters[0].event_type, subject: customer.key };
  const time = new Date(backend.clock.nowMs() - 60_000).toISOString();
  await shop.ok('POST', '/events', { ...event, time, data: {} });
  // Requests are counted one by one here: a billionth of a unit, and exactly that.
  expect(await value()).toMatchObject({ usage: '0.000000001', balance: '102.499999999' });
  await shop.ok('POST', `${path}/reset`);
  expect(await value()).toMatchObject({ usage: '0', balance: '102.5' });
});

test('an entitlement from elsewhere stays, and the log says that the rate card grants nothing', async () => {
  const { backend, catalog } = shop;
  const card = usageCard(catalog, { entitlement: { type: 'boolean' } });
  const plan = await shop.plan('switch', { phases: [phase([card])] });
  const customer = await shop.customer();
  const feature = { id: card.feature.id };
  await shop.ok('POST', `/customers/${customer.id}/entitlements`, { type: 'boolean', feature });
  await shop.subscribe(customer, plan);
  expect(await access(customer)).toHaveLength(1);
  expect(backend.logLines.join('\n')).toContain('a rate card grants nothing');
});
