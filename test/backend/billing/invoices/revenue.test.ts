import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { act, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: '2026-10-20T12:00:00Z' });
});
afterAll(() => t.close());

/** One invoice of a customer now, in a currency. */
async function invoice(customerId: string, amount: string, currency = 'USD') {
  const charge = flatCharge(amount, new Date(t.clock.nowMs()).toISOString(), {
    currency,
    amount_before_proration: { amount, currency },
  });
  await createCharge(t, customerId, charge);
  return invoiceNow(t, customerId);
}

const revenue = (from: string, to: string, more = '') =>
  send(t, 'GET', `/billing/revenue?from=${from}&to=${to}${more}`, undefined, 200);

test('sums what was issued in a period by currency, names the customers with the most, leaves voided, drafts and test clocks out', async () => {
  const alice = await createCustomer(t, 'alice', { name: 'Alice' });
  const bob = await createCustomer(t, 'bob', { name: 'Bob' });
  const euro = await createCustomer(t, 'euro', { name: 'Euro', currency: 'EUR' });
  await invoice(alice.id, '100');
  t.clock.set('2026-11-05T12:00:00Z');
  await invoice(alice.id, '10.10');
  await invoice(alice.id, '0.20');
  await invoice(bob.id, '30');
  await invoice(euro.id, '7', 'EUR');
  const carol = await createCustomer(t, 'carol', { labels: { 'sandbox-payment': 'failed' } });
  await act(t, (await invoice(carol.id, '1000')).id, 'void');
  const dave = await createCustomer(t, 'dave');
  await useProfile(t, dave.id, { invoicing: { auto_advance: false } });
  await invoice(dave.id, '5000');
  const erin = await createCustomer(t, 'erin', { labels: { 'sandbox-payment': 'failed' } });
  await send(t, 'PUT', `/customers/${erin.id}/test-clock`, { now: '2026-11-10T12:00:00Z' }, 200);
  await createCharge(t, erin.id, flatCharge('700', '2026-11-10T12:00:00Z'));
  await invoiceNow(t, erin.id);

  const november = await revenue('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
  expect(november.data).toEqual([
    {
      currency: 'EUR',
      total: '7',
      invoices: 1,
      customers: 1,
      top_customers: [{ customer: { id: euro.id, key: 'euro', name: 'Euro' }, total: '7', invoices: 1 }],
    },
    {
      currency: 'USD',
      total: '40.3',
      invoices: 3,
      customers: 2,
      top_customers: [
        { customer: { id: bob.id, key: 'bob', name: 'Bob' }, total: '30', invoices: 1 },
        { customer: { id: alice.id, key: 'alice', name: 'Alice' }, total: '10.3', invoices: 2 },
      ],
    },
  ]);
  const october = await revenue('2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z', '&limit=1');
  expect(october.data).toMatchObject([{ currency: 'USD', total: '100', customers: 1 }]);
  // Half-open: what was issued at its end is not in the period.
  const before = await revenue('2026-10-20T11:00:00Z', '2026-10-20T12:00:00Z');
  expect(before.data).toEqual([]);
});

test.each([
  ['', 'from'],
  ['from=2026-11-01T00:00:00Z', 'to'],
  ['from=2026-11-01T00:00:00Z&to=2026-10-01T00:00:00Z', 'to'],
  ['from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&limit=0', 'limit'],
  ['from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&currency=USD', 'currency'],
])('names what is wrong with the question: "%s"', async (query, field) => {
  const refused = await send(t, 'GET', `/billing/revenue?${query}`, undefined, 400);
  expect(refused.invalid_parameters[0].field).toBe(field);
});
