import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, send, UNKNOWN_ID } from '../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';
import { createCharge, flatCharge } from '../../support/billing/charges.ts';
import { getInvoice, invoiceNow, useProfile } from '../../support/billing/invoices.ts';
import { createCustomer } from '../../support/customers/customers.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
let appId: string;
beforeAll(async () => {
  t = await createTestBackend({ start: NOW });
  const install = { type: 'external_invoicing', name: 'Bank', create_billing_profile: false };
  appId = (await send(t, 'POST', '/app-catalog/install', install, 201)).app.id;
});
afterAll(() => t.close());

/** Issued, and waiting for its money. */
async function owed(key: string, amount: string, currency = 'USD') {
  const customer = await createCustomer(t, key, { currency });
  await useProfile(t, customer.id, {}, appId);
  const charge = { currency, amount_before_proration: { amount, currency } };
  await createCharge(t, customer.id, flatCharge(amount, NOW, charge));
  return invoiceNow(t, customer.id);
}
const pay = (id: string, body: unknown, status = 201) =>
  send(t, 'POST', `/billing/invoices/${id}/payments`, body, status);
const payments = (id: string) => send(t, 'GET', `/billing/invoices/${id}/payments`, undefined, 200);
const timeline = async (id: string): Promise<string[]> => {
  const { data } = await send(t, 'GET', `/billing/invoices/${id}/timeline`, undefined, 200);
  return data.map(({ text }: { text: string }) => text);
};

test('parts are recorded until nothing is left: then the invoice is paid', async () => {
  const { id } = await owed('parts', '100.10');
  const first = await pay(id, { amount: '60.05', reference: 'R1', paid_at: '2026-11-20T08:00:00Z', note: 'by wire' });
  expect(first).toMatchObject({
    invoice: { id },
    app: { id: appId },
    amount: '60.05',
    currency: 'USD',
    state: 'succeeded',
    method: 'bank_transfer',
    paid_at: '2026-11-20T08:00:00Z',
    reference: 'R1',
    note: 'by wire',
  });
  expect((await getInvoice(t, id)).status).toBe('payment_processing');
  expect((await payments(id)).summary).toEqual({
    currency: 'USD',
    total: '100.1',
    amount_paid: '60.05',
    amount_due: '40.05',
    amount_overpaid: '0',
  });
  const again = await pay(id, { amount: '1', reference: 'R1' }, 409);
  expect(again.extensions.validationErrors[0]).toMatchObject({
    code: 'payment_recorded_before',
    attributes: { id: first.id },
  });
  expect(codeOf(await pay(id, { amount: '40.06' }, 400))).toBe('payment_exceeds_amount_due');
  await pay(id, { method: 'cash' });
  expect((await getInvoice(t, id)).status).toBe('paid');
  const { data, summary } = await payments(id);
  expect(data.map((payment: { amount: string }) => payment.amount)).toEqual(['60.05', '40.05']);
  expect(summary).toMatchObject({ amount_paid: '100.1', amount_due: '0', amount_overpaid: '0' });
  expect(codeOf(await pay(id, { amount: '1' }, 400))).toBe('invoice_not_payable');
  expect(await timeline(id)).toEqual([
    'Draft: created',
    'Payment processing: pending',
    'Payment of 60.05 USD recorded',
    'Payment of 40.05 USD recorded',
    'Paid',
  ]);
});

test.each([
  ['nothing', { amount: '0' }, 'payment_amount_not_positive'],
  ['less than nothing', { amount: '-1' }, 'payment_amount_not_positive'],
  ['a tenth of a cent', { amount: '0.001' }, 'payment_amount_not_payable'],
  ['of tomorrow', { paid_at: '2026-11-21T12:00:01Z' }, 'payment_in_the_future'],
])('refused, and nothing is recorded: %s', async (name, body, code) => {
  const { id } = await owed(name, '5');
  expect(codeOf(await pay(id, body, 400))).toBe(code);
  expect((await payments(id)).data).toEqual([]);
});

test('what an app says is paid has a payment of the rest, whoever recorded the first part', async () => {
  const { id } = await owed('reported', '12');
  await pay(id, { amount: '2' });
  await send(t, 'POST', `/apps/external-invoicing/${id}/payment/status`, { trigger: 'paid' }, 204);
  const { data, summary } = await payments(id);
  expect(data[1]).toMatchObject({ amount: '10', method: 'reported' });
  expect(summary).toMatchObject({ amount_paid: '12', amount_due: '0' });
  const customer = await createCustomer(t, 'sandbox');
  await createCharge(t, customer.id, flatCharge('3', NOW));
  const sandbox = await invoiceNow(t, customer.id);
  expect((await payments(sandbox.id)).data).toMatchObject([{ amount: '3', method: 'sandbox', state: 'succeeded' }]);
});

test('an overdue invoice is paid late, in a currency without decimals too', async () => {
  const { id } = await owed('late', '500', 'JPY');
  await t.clock.set('2026-12-22T12:00:00Z');
  await send(t, 'POST', `/billing/invoices/${id}/retry`, undefined, 400);
  expect(codeOf(await pay(id, { amount: '0.5' }, 400))).toBe('payment_amount_not_payable');
  await pay(id, { amount: '200' });
  // Looking at it is enough to see that it is late.
  expect((await getInvoice(t, id)).status).toBe('overdue');
  await pay(id, {});
  expect((await getInvoice(t, id)).status).toBe('paid');
  expect((await timeline(id)).slice(-4)).toEqual([
    'Payment of 200 JPY recorded',
    'Overdue',
    'Payment of 300 JPY recorded',
    'Paid',
  ]);
});

test('two payments of the whole at once: one is taken', async () => {
  const { id } = await owed('twice', '9');
  const both = await Promise.all([1, 2].map(() => t.request('POST', `/billing/invoices/${id}/payments`, { body: {} })));
  expect(both.map(({ status }) => status).sort()).toEqual([201, 400]);
  expect((await payments(id)).data).toHaveLength(1);
});

test('drafts are not paid, unknown invoices are not found, and a viewer only looks', async () => {
  for (const what of ['payments', 'timeline']) {
    await send(t, 'GET', `/billing/invoices/${UNKNOWN_ID}/${what}`, undefined, 404);
  }
  await pay(UNKNOWN_ID, {}, 404);
  const { id } = await owed('viewer', '1');
  const path = `/billing/invoices/${id}/payments`;
  expect((await t.request('GET', path, { token: TOKENS.viewer })).status).toBe(200);
  expect((await t.request('POST', path, { token: TOKENS.viewer, body: {} })).status).toBe(403);
});
