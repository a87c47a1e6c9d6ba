import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, openShop, phase, type Shop, usageCard } from '../subscriptions/support.ts';

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
