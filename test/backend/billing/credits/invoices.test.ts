import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge, usageCharge } from '../../../support/billing/charges.ts';
import { getInvoice, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const JANUARY = '2026-01-01T00:00:00Z';
const FEBRUARY = '2026-02-01T00:00:00Z';
let t: TestBackend;
let featureId: string;
let customers = 0;

beforeAll(async () => {
  t = await createTestBackend({ start: JANUARY });
  featureId = (await createMeteredFeature(t, 'calls')).id;
});
afterAll(() => t.close());

/** A customer whose invoices wait for approval, and are paid elsewhere. */
async function customerOf(workflow: object = {}) {
  t.clock.set(JANUARY);
  customers += 1;
  const key = `c${customers}`;
  const { id } = await createCustomer(t, key);
  const installed = { type: 'external_invoicing', name: key, create_billing_profile: false };
  const hooks = { enable_draft_sync_hook: false, enable_issuing_sync_hook: false };
  const { app } = await send(t, 'POST', '/app-catalog/install', installed, 201);
  await send(t, 'PUT', `/apps/${app.id}`, { type: 'external_invoicing', name: key, ...hooks }, 200);
  await useProfile(t, id, { invoicing: { auto_advance: false }, ...workflow }, app.id);
  const credits = `/customers/${id}/credits`;
  return {
    id,
    used: (time: string, count: number) => sendEvents(t, 'calls', key, time, Array.from({ length: count })),
    grant: (amount: string, fields: object = {}): Promise<Json> =>
      send(t, 'POST', `${credits}/grants`, { ...GIFT, name: `G${amount}`, amount, ...fields }, 201),
    balance: async (query = '') => {
      const { live, settled } = (await send(t, 'GET', `${credits}/balance${query}`, undefined, 200)).balances[0];
      return `${settled} ${live}`;
    },
    rows: async () =>
      (await send(t, 'GET', `${credits}/transactions`, undefined, 200)).data.map((row: Json) => [
        row.name,
        row.amount,
        row.available_balance.after,
      ]),
    preview: () => send(t, 'GET', `/customers/${id}/invoice-preview`, undefined, 200),
  };
}
const GIFT = { funding_method: 'none', currency: 'USD' };
const paid = ({ totals }: Json) => `${totals.credits_total} ${totals.total}`;
const byLine = ({ lines }: Json) => lines.map((line: Json) => `${line.name} ${paid(line)}`);

/** A price in place of the one that the only line has. */
async function reprice(invoice: Json, price: object): Promise<Json> {
  const { customer, supplier, type, workflow } = invoice;
  const [{ id, name, service_period, rate_card }] = invoice.lines;
  const { unit_config: _, ...card } = rate_card;
  const { due_after: __, ...invoicing } = workflow.workflow.invoicing;
  const lines = [{ id, name, type: 'standard_line', service_period, rate_card: { ...card, price } }];
  const settings = { workflow: { invoicing, payment: workflow.workflow.payment } };
  return send(
    t,
    'PUT',
    `/billing/invoices/${invoice.id}`,
    { customer, supplier, type, workflow: settings, lines },
    200,
  );
}

test('usage takes the live balance, the preview shows it, the draft books it; edits and deletion give back', async () => {
  const c = await customerOf();
  await c.grant('40');
  await createCharge(t, c.id, usageCharge(featureId, JANUARY, FEBRUARY, { price: { type: 'unit', amount: '1' } }));
  await c.used('2026-01-10T00:00:00Z', 30);
  t.clock.set('2026-01-11T00:00:00Z');
  expect(await c.balance()).toBe('40 10');
  expect(paid(await c.preview())).toBe('30 0');
  await c.used('2026-01-20T00:00:00Z', 70);
  t.clock.set('2026-02-01T01:00:00Z');
  expect(paid(await c.preview())).toBe('40 60');
  expect(await c.balance()).toBe('40 0');
  const draft = await invoiceNow(t, c.id);
  expect(paid(draft)).toBe('40 60');
  expect(draft.lines[0].detailed_lines[0].credits_applied).toEqual([{ amount: '40', description: 'G40' }]);
  expect(draft.lines[0].credits_applied).toEqual([{ amount: '40', description: 'G40' }]);
  expect(await c.balance()).toBe('0 0');
  // It counts from the end of what it is for.
  expect(await c.balance(`?timestamp=2026-01-31T23:59:59Z`)).toBe('40 0');
  expect(await c.balance(`?timestamp=${FEBRUARY}`)).toBe('0 0');
  const shrunk = await reprice(draft, { type: 'flat', amount: '30' });
  expect(paid(shrunk)).toBe('30 0');
  expect(await c.rows()).toEqual([
    ['Usage', '10', '10'],
    ['Usage', '-40', '0'],
    ['G40', '40', '40'],
  ]);
  await send(t, 'DELETE', `/billing/invoices/${draft.id}`, undefined, 204);
  expect(await c.balance()).toBe('40 40');
});

test('credits pay line by line, after discounts, those for a feature first, and nothing of another one', async () => {
  const c = await customerOf();
  const other = await createMeteredFeature(t, 'other');
  await c.grant('25');
  await c.grant('10', { filters: { features: ['calls'] } });
  await c.grant('99', { filters: { features: ['other'] }, effective_at: '2026-01-01T00:00:00Z' });
  await createCharge(t, c.id, flatCharge('20', FEBRUARY, { discounts: { percentage: 10 }, name: 'Seat' }));
  const price = { type: 'unit', amount: '1' };
  await createCharge(t, c.id, usageCharge(featureId, JANUARY, FEBRUARY, { price }));
  await createCharge(t, c.id, usageCharge(other.id, JANUARY, FEBRUARY, { price, name: 'Other' }));
  await c.used('2026-01-10T00:00:00Z', 30);
  t.clock.set('2026-02-01T01:00:00Z');
  const preview = await c.preview();
  const draft = await invoiceNow(t, c.id);
  expect(byLine(draft).sort()).toEqual(byLine(preview).sort());
  // By the order of the lines: usage of January begins before the fee of February.
  expect(byLine(draft)).toEqual(['Usage 30 0', 'Other 0 0', 'Seat 5 13']);
  expect(draft.totals).toMatchObject({ amount: '50', discounts_total: '2', credits_total: '35', total: '13' });
  const usage = draft.lines[0].credits_applied;
  expect(usage).toEqual([
    { amount: '10', description: 'G10' },
    { amount: '20', description: 'G25' },
  ]);
});

test('what credit pays for is paid; a void invoice gives it back, also to a grant that has expired', async () => {
  const c = await customerOf();
  await c.grant('50', { expires_after: 'P40D' });
  await createCharge(t, c.id, flatCharge('50', FEBRUARY));
  await createCharge(t, c.id, flatCharge('30', '2026-03-01T00:00:00Z'));
  t.clock.set(FEBRUARY);
  const whole = await invoiceNow(t, c.id);
  await send(t, 'POST', `/billing/invoices/${whole.id}/approve`, undefined, 200);
  expect(await getInvoice(t, whole.id)).toMatchObject({ status: 'paid', totals: { credits_total: '50', total: '0' } });

  await c.grant('10');
  t.clock.set('2026-03-01T00:00:00Z');
  const part = await invoiceNow(t, c.id);
  expect(paid(part)).toBe('10 20');
  await send(t, 'POST', `/billing/invoices/${part.id}/approve`, undefined, 200);
  const trigger = { trigger: 'void' };
  await send(t, 'POST', `/apps/external-invoicing/${part.id}/payment/status`, trigger, 204);
  expect((await getInvoice(t, part.id)).totals.credits_total).toBe('10');
  expect(await c.balance()).toBe('10 10');
});

test('what is given back on an invoice comes first: credit pays no more than is left', async () => {
  const c = await customerOf();
  await createCharge(t, c.id, usageCharge(featureId, JANUARY, FEBRUARY, { price: { type: 'unit', amount: '1' } }));
  await c.used('2026-01-10T00:00:00Z', 10);
  t.clock.set('2026-02-01T01:00:00Z');
  const first = await invoiceNow(t, c.id);
  await send(t, 'POST', `/billing/invoices/${first.id}/approve`, undefined, 200);
  const filter = { subject: { eq: `c${customers}` } };
  await send(t, 'POST', '/events/corrections', { action: 'void', reason: 'a test', filter }, 201);
  await c.grant('40');
  await createCharge(t, c.id, flatCharge('25', '2026-02-02T00:00:00Z'));
  t.clock.set('2026-02-02T00:00:00Z');
  const second = await invoiceNow(t, c.id);
  expect(second.totals).toMatchObject({ amount: '15', credits_total: '15', total: '0' });
  expect(await c.balance()).toBe('25 25');
});

test('what was used before a grant expired is paid by it, whenever it is billed, and shown so before', async () => {
  const c = await customerOf();
  await c.grant('50', { expires_after: 'P14D' });
  await c.grant('3');
  const price = { type: 'unit', amount: '1' };
  await createCharge(t, c.id, usageCharge(featureId, JANUARY, FEBRUARY, { price }));
  await c.used('2026-01-10T00:00:00Z', 40);
  await c.used('2026-01-20T00:00:00Z', 10);
  t.clock.set('2026-02-01T01:00:00Z');
  expect(paid(await c.preview())).toBe('43 7');
  const draft = await invoiceNow(t, c.id);
  expect(draft.lines[0].credits_applied).toEqual([
    { amount: '40', description: 'G50' },
    { amount: '3', description: 'G3' },
  ]);
  expect(await c.rows()).toEqual([
    ['Usage', '-3', '0'],
    ['G50', '-10', '3'],
    ['Usage', '-40', '13'],
    ['G3', '3', '53'],
    ['G50', '50', '50'],
  ]);
});
