import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { codeOf, send } from '../../../support/answers.ts';
import { getInvoice } from '../../../support/billing/invoices.ts';
import {
  billThroughStripe,
  feesOf,
  linkedCustomer,
  oneThere,
  type StripeWorld,
  startStripeWorld,
  stateOf,
  tell,
  thereOf,
} from '../../../support/stripe/billing.ts';

let world: StripeWorld;
beforeAll(async () => {
  world = await startStripeWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.stripe.taxPercent.value = 0;
  world.stripe.fail(undefined);
});

const work = () => world.t.outgoing.work();
const act = (id: string, what: string) => send(world.t, 'POST', `/billing/invoices/${id}/${what}`, undefined, 200);
const payments = (id: string) => send(world.t, 'GET', `/billing/invoices/${id}/payments`, undefined, 200);
const issuesOf = async (id: string): Promise<string[]> =>
  ((await getInvoice(world.t, id)).validation_issues ?? []).map(({ code }: { code: string }) => code);
/** What Stripe tells about an invoice, and what follows. */
async function told(id: string, type: string): Promise<void> {
  expect((await tell(world, type, oneThere(world, id))).status).toBe(200);
  await work();
}

/** Leaves one line, at another price. */
async function editFee(id: string, index: number, amount: string): Promise<void> {
  const { supplier, customer, type, workflow, lines } = await getInvoice(world.t, id);
  const { invoicing, payment } = workflow.workflow;
  const { due_after: _, ...settings } = invoicing;
  const { id: lineId, name, service_period, rate_card } = lines[index];
  const price = { type: 'flat', amount };
  const line = { id: lineId, name, type: 'standard_line', service_period, rate_card: { ...rate_card, price } };
  const body = { supplier, customer, type, workflow: { workflow: { invoicing: settings, payment } }, lines: [line] };
  await send(world.t, 'PUT', `/billing/invoices/${id}`, body, 200);
}

test('paid: one invoice there, to the cent, with Stripe’s number', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'paid', { amounts: ['10.50', '0.07', '100'] });
  expect(await stateOf(world, id)).toBe('draft.syncing');
  await work();
  const there = oneThere(world, id);
  expect(there).toMatchObject({
    status: 'open',
    total: 11_057,
    currency: 'usd',
    collection_method: 'charge_automatically',
  });
  expect(await getInvoice(world.t, id)).toMatchObject({
    number: there.number,
    status: 'payment_processing',
    external_references: { invoicing_id: there.id },
    lines: [{ detailed_lines: [{ external_references: { invoicing_id: expect.stringMatching(/^il_/) } }] }, {}, {}],
  });
  world.stripe.settle(there.id, 'paid');
  await told(id, 'invoice.paid');
  expect(await stateOf(world, id)).toBe('paid');
  const { data, summary } = await payments(id);
  expect(data).toMatchObject([
    { amount: '110.57', state: 'succeeded', method: 'card', external_id: expect.stringMatching(/^inpay_/) },
  ]);
  expect(summary).toMatchObject({ amount_paid: '110.57', amount_due: '0' });
});

test('failed, retried in vain, then paid', async () => {
  const { invoiceId: id, stripeId } = await billThroughStripe(world, 'failed');
  await work();
  const there = oneThere(world, id);
  world.stripe.settle(there.id, 'declined');
  await told(id, 'invoice.payment_failed');
  expect(await stateOf(world, id)).toBe('payment_processing.failed');
  expect((await payments(id)).data).toMatchObject([
    { state: 'failed', failure: { code: 'insufficient_funds', message: 'Your card has insufficient funds.' } },
  ]);
  world.stripe.customers.get(stripeId).declines = true;
  await act(id, 'retry');
  await work();
  expect(await stateOf(world, id)).toBe('payment_processing.failed');
  world.stripe.customers.get(stripeId).declines = false;
  await act(id, 'retry');
  await work();
  expect(await stateOf(world, id)).toBe('paid');
  expect((await payments(id)).data).toMatchObject([{ amount: '10.5', state: 'succeeded' }]);
});

test('action required, and what is recorded there as paid out of band', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'action');
  await work();
  world.stripe.settle(oneThere(world, id).id, 'action');
  await told(id, 'invoice.payment_action_required');
  expect(await stateOf(world, id)).toBe('payment_processing.action_required');
  const refused = await send(world.t, 'POST', `/billing/invoices/${id}/payments`, {}, 400);
  expect(codeOf(refused)).toBe('payment_not_recorded_here');
  world.stripe.settle(oneThere(world, id).id, 'out of band');
  await told(id, 'invoice.paid');
  expect(await stateOf(world, id)).toBe('paid');
  expect((await payments(id)).data).toMatchObject([{ state: 'canceled' }, { state: 'succeeded', method: 'reported' }]);
});

test.each([
  ['without a payment method', {}, {}, 'app_no_payment_method'],
  [
    'without an e-mail',
    { payment: { collection_method: 'send_invoice', due_after: 'P14D' } },
    { email: null },
    'app_customer_no_email',
  ],
])('a customer %s: the draft says so, and a retry goes on', async (name, workflow, there, code) => {
  const { invoiceId: id, stripeId } = await billThroughStripe(world, name.replaceAll(' ', '-'), { workflow, there });
  await work();
  expect([await stateOf(world, id), await issuesOf(id)]).toEqual(['draft.sync_failed', [code]]);
  expect(thereOf(world, id)).toEqual([]);
  Object.assign(world.stripe.customers.get(stripeId), {
    email: 'a@example.com',
    invoice_settings: { default_payment_method: 'pm_1' },
  });
  await act(id, 'retry');
  await work();
  expect([await stateOf(world, id), await issuesOf(id)]).toEqual(['payment_processing.pending', []]);
});

test('an invoice that is sent is due on the same day here and there', async () => {
  const workflow = { payment: { collection_method: 'send_invoice', due_after: 'P14D' } };
  const { invoiceId: id } = await billThroughStripe(world, 'sent', { workflow });
  await work();
  const { due_at, sent_to_customer_at } = await getInvoice(world.t, id);
  expect(oneThere(world, id)).toMatchObject({ collection_method: 'send_invoice', due_date: Date.parse(due_at) / 1000 });
  expect(sent_to_customer_at).toBeDefined();
});

test('taxes by Stripe are read back, and are part of what is paid', async () => {
  world.stripe.taxPercent.value = 19;
  const { invoiceId: id } = await billThroughStripe(world, 'tax', {
    amounts: ['100'],
    charge: { tax_config: { behavior: 'exclusive' } },
  });
  await work();
  expect((await getInvoice(world.t, id)).totals).toMatchObject({
    taxes_exclusive_total: '19',
    taxes_total: '19',
    total: '119',
  });
  world.stripe.settle(oneThere(world, id).id, 'paid');
  await told(id, 'invoice.paid');
  expect((await payments(id)).summary).toMatchObject({ total: '119', amount_paid: '119', amount_due: '0' });
});

test('rates of one’s own are not on what Stripe taxes', async () => {
  world.stripe.taxPercent.value = 19;
  const everywhere = { name: 'VAT', category: 'standard', percentage: '7' };
  const { id: rate } = await send(world.t, 'POST', '/tax-rates', everywhere, 201);
  const { invoiceId: id } = await billThroughStripe(world, 'own-rates', {
    amounts: ['100'],
    charge: { tax_config: { behavior: 'exclusive' } },
  });
  expect((await getInvoice(world.t, id)).totals).toMatchObject({ taxes_total: '0', total: '100' });
  await work();
  expect(oneThere(world, id)).toMatchObject({ subtotal: 10_000, total: 11_900 });
  expect((await getInvoice(world.t, id)).totals).toMatchObject({ taxes_total: '19', total: '119' });
  await send(world.t, 'DELETE', `/tax-rates/${rate}`, undefined, 204);
});

test('without a place to tax, an invoice goes out untaxed unless taxes are enforced', async () => {
  world.stripe.taxPercent.value = 19;
  const { invoiceId: id } = await billThroughStripe(world, 'nowhere', { there: { method: 'pm_n', country: '' } });
  await work();
  expect(await stateOf(world, id)).toBe('payment_processing.pending');
  expect(oneThere(world, id)).toMatchObject({ total: 1050, automatic_tax: { enabled: false } });
});

test('what is voided, given up or deleted here becomes so there, and the other way round', async () => {
  const { invoiceId: voided } = await billThroughStripe(world, 'voided');
  const { invoiceId: givenUp } = await billThroughStripe(world, 'given-up');
  const { invoiceId: there } = await billThroughStripe(world, 'void-there');
  const { invoiceId: removed } = await billThroughStripe(world, 'removed', {
    workflow: { invoicing: { auto_advance: false } },
  });
  await work();
  expect(oneThere(world, removed).status).toBe('draft');
  await act(voided, 'void');
  await act(givenUp, 'mark-uncollectible');
  await send(world.t, 'DELETE', `/billing/invoices/${removed}`, undefined, 204);
  Object.assign(world.stripe.invoices.get(oneThere(world, there).id), { status: 'void' });
  await told(there, 'invoice.voided');
  expect([oneThere(world, voided).status, oneThere(world, givenUp).status, thereOf(world, removed)]).toEqual([
    'void',
    'uncollectible',
    [],
  ]);
  expect(await stateOf(world, there)).toBe('voided');
});

test('a draft that was deleted there is made anew by a retry; one that was changed there is not issued', async () => {
  const workflow = { invoicing: { auto_advance: false } };
  const { invoiceId: id } = await billThroughStripe(world, 'gone', { workflow });
  await work();
  expect(await stateOf(world, id)).toBe('draft.manual_approval_needed');
  world.stripe.invoices.delete(oneThere(world, id).id);
  await editFee(id, 0, '11');
  await work();
  expect([await stateOf(world, id), await issuesOf(id)]).toEqual(['draft.sync_failed', ['app_draft_gone']]);
  await act(id, 'retry');
  await work();
  expect(oneThere(world, id)).toMatchObject({ status: 'draft', total: 1100 });
  world.stripe.call('POST', `/v1/invoices/${oneThere(world, id).id}/add_lines`, {
    lines: [{ amount: '5', description: 'Tip' }],
  });
  await act(id, 'approve');
  await work();
  expect([await stateOf(world, id), await issuesOf(id)]).toEqual(['issuing.failed', ['app_totals_differ']]);
  expect(oneThere(world, id).status).toBe('draft');
});

test('an edited draft has the lines there that it has here', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'edited', {
    amounts: ['1', '2'],
    workflow: { invoicing: { auto_advance: false } },
  });
  await work();
  await editFee(id, 1, '7');
  await work();
  expect(oneThere(world, id)).toMatchObject({ status: 'draft', total: 700 });
});

test.each([
  ['ISK', ['5'], 500],
  ['JPY', ['500'], 500],
  ['KWD', ['1.230'], 1230],
])('%s goes out in Stripe’s smallest unit', async (currency, amounts, total) => {
  const { invoiceId: id } = await billThroughStripe(world, currency.toLowerCase(), { currency, amounts });
  await work();
  expect(oneThere(world, id)).toMatchObject({ total, status: 'open' });
});

test.each([
  ['UGX', '5'],
  ['KWD', '1.234'],
])('%s %s cannot be charged, and says so', async (currency, amount) => {
  const { invoiceId: id } = await billThroughStripe(world, `no-${currency.toLowerCase()}`, {
    currency,
    amounts: [amount],
  });
  await work();
  expect(await issuesOf(id)).toEqual(['app_amount_not_chargeable']);
});

test('more lines than Stripe takes become few, and the total stays', async () => {
  const customer = await linkedCustomer(world, 'many');
  const id = await feesOf(world, customer.id, { amounts: Array.from({ length: 203 }, () => '0.01') });
  await work();
  const there = oneThere(world, id);
  expect(there).toMatchObject({ status: 'open', total: 203 });
  expect((world.stripe.call('GET', `/v1/invoices/${there.id}/lines`, {}) as { data: unknown[] }).data).toHaveLength(1);
});

test('a customer that was deleted there holds up its own invoice only', async () => {
  const { invoiceId: id, stripeId } = await billThroughStripe(world, 'deleted-there');
  const { invoiceId: other } = await billThroughStripe(world, 'other');
  world.stripe.customers.get(stripeId).deleted = true;
  await work();
  expect([await stateOf(world, id), await issuesOf(id)]).toEqual(['draft.sync_failed', ['app_customer_gone']]);
  expect(await stateOf(world, other)).toBe('payment_processing.pending');
});
