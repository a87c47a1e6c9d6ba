import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { feeCard, phase, usageCard } from '../support/catalog/plans.ts';
import { openShop, type Shop } from '../support/customers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop('2026-11-21T12:00:00Z');
});
afterAll(() => shop.close());

test('a year of a sandbox customer: an invoice each month, and nobody else is touched', async () => {
  const plan = await shop.plan('yearly_watch', {
    phases: [phase([feeCard({ payment_term: 'in_advance' }), usageCard(shop.catalog)])],
  });
  const [sandbox, other] = [await shop.customer({ key: 'sandbox' }), await shop.customer({ key: 'other' })];
  await shop.ok('PUT', `/customers/${sandbox.id}/test-clock`, { now: '2027-01-31T00:00:00Z' });
  const subscription = await shop.subscribe(sandbox, plan);
  const untouched = await shop.subscribe(other, plan);
  const use = (at: string) =>
    shop.backend.request('POST', '/events', {
      body: { specversion: '1.0', id: at, source: 'test', type: 'requests', subject: 'sandbox', time: at, data: {} },
    });
  await use('2027-02-10T00:00:00Z');
  await use('2027-06-10T00:00:00Z');
  const invoicesOf = async (customer: Json) =>
    (await shop.ok('GET', '/billing/invoices?page[size]=100')).data.filter(
      (invoice: Json) => invoice.customer.id === customer.id,
    );
  const before = (await invoicesOf(other)).length;
  const advanced = await shop.ok('POST', `/customers/${sandbox.id}/test-clock/advance`, { by: 'P1Y' });
  expect(advanced.now).toBe('2028-01-31T00:00:00Z');
  const { current_period } = await shop.ok('GET', `/subscriptions/${subscription.id}`);
  expect(current_period).toEqual({ from: '2028-01-31T00:00:00Z', to: '2028-02-29T00:00:00Z' });
  const paid = (await invoicesOf(sandbox)).filter(({ status }: Json) => status === 'paid');
  // The fee of each month in advance, with the request of the month before it where there was one.
  expect(paid.map(({ totals }: Json) => totals.total)).toEqual(
    Array.from({ length: 12 }, (_, month) => (month === 1 || month === 5 ? '10.01' : '10')),
  );
  expect((await invoicesOf(other)).length).toBe(before);
  expect(await shop.ok('GET', `/subscriptions/${untouched.id}`)).toEqual(untouched);
});
