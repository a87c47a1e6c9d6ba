import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, send, UNKNOWN_ID } from '../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';
import { createCharge, flatCharge } from '../../support/billing/charges.ts';
import { extended, getInvoice, invoiceNow, useProfile } from '../../support/billing/invoices.ts';
import { createCustomer } from '../../support/customers/customers.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
let appId: string;
beforeAll(async () => {
  t = await createTestBackend();
  const install = { type: 'external_invoicing', name: 'ERP', create_billing_profile: false };
  appId = (await send(t, 'POST', '/app-catalog/install', install, 201)).app.id;
  const hooks = { enable_draft_sync_hook: true, enable_issuing_sync_hook: true };
  await send(t, 'PUT', `/apps/${appId}`, { type: 'external_invoicing', name: 'ERP', ...hooks }, 200);
});
afterAll(() => t.close());

async function invoiceOf(key: string) {
  const customer = await createCustomer(t, key);
  await useProfile(t, customer.id, {}, appId);
  await createCharge(t, customer.id, flatCharge('10', NOW));
  return invoiceNow(t, customer.id);
}
const report = (id: string, what: string, body: unknown = {}, status = 204) =>
  send(t, 'POST', `/apps/external-invoicing/${id}/${what}`, body, status);

test('the whole way: taken over, finalized, paid', async () => {
  const draft = await invoiceOf('whole');
  expect(extended(draft)).toBe('draft.syncing');
  const [line] = draft.lines;
  await report(draft.id, 'draft/synchronized', {
    invoicing: {
      external_id: 'ERP-1',
      line_external_ids: [
        { line_id: line.id, external_id: 'ERP-L1' },
        { line_id: line.detailed_lines[0].id, external_id: 'ERP-L2' },
      ],
    },
  });
  const syncing = await getInvoice(t, draft.id);
  expect(extended(syncing)).toBe('issuing.syncing');
  expect(syncing).toMatchObject({
    external_references: { invoicing_id: 'ERP-1' },
    lines: [
      {
        external_references: { invoicing_id: 'ERP-L1' },
        detailed_lines: [{ external_references: { invoicing_id: 'ERP-L2' } }],
      },
    ],
  });
  await report(draft.id, 'issuing/synchronized', {
    invoicing: { invoice_number: 'R-2026-7', sent_to_customer_at: NOW },
    payment: { external_id: 'PAY-1' },
  });
  const issued = await getInvoice(t, draft.id);
  expect(issued).toMatchObject({
    number: 'R-2026-7',
    sent_to_customer_at: NOW,
    external_references: { payment_id: 'PAY-1' },
  });
  expect(extended(issued)).toBe('payment_processing.pending');
  for (const trigger of ['payment_failed', 'payment_failed', 'action_required', 'paid', 'paid']) {
    await report(draft.id, 'payment/status', { trigger });
  }
  expect((await getInvoice(t, draft.id)).status).toBe('paid');
  expect(codeOf(await report(draft.id, 'payment/status', { trigger: 'void' }, 400))).toBe(
    'invoice_action_not_available',
  );
});

test('without a number from outside it gets one of ours', async () => {
  const { id } = await invoiceOf('number');
  await report(id, 'draft/synchronized');
  await report(id, 'issuing/synchronized');
  expect((await getInvoice(t, id)).number).toMatch(/^INV-NUMB-\d+$/);
});

test('a number is of one invoice only: a second one is refused, one of ours that was taken is passed over', async () => {
  const first = await invoiceOf('numbered');
  await report(first.id, 'draft/synchronized');
  await report(first.id, 'issuing/synchronized', { invoicing: { invoice_number: 'INV-NUMB-900' } });
  const second = await invoiceOf('numbered-too');
  await report(second.id, 'draft/synchronized');
  const taken = { invoicing: { invoice_number: 'INV-NUMB-900' } };
  expect((await report(second.id, 'issuing/synchronized', taken, 409)).detail).toContain('INV-NUMB-900');
  const draftLike = { invoicing: { invoice_number: 'DRAFT-NUMB-9' } };
  expect((await report(second.id, 'issuing/synchronized', draftLike, 400)).detail).toBeDefined();
  await report(second.id, 'issuing/synchronized');
  const [, ours] = /^INV-NUMB-(\d+)$/.exec((await getInvoice(t, second.id)).number) ?? [];
  const third = await invoiceOf('numbered-last');
  const next = `INV-NUMB-${Number(ours) + 1}`;
  await report(third.id, 'draft/synchronized', { invoicing: { invoice_number: next } });
  await report(third.id, 'issuing/synchronized');
  const fourth = await invoiceOf('numbered-next');
  await report(fourth.id, 'draft/synchronized');
  await report(fourth.id, 'issuing/synchronized');
  expect(await getInvoice(t, fourth.id)).toMatchObject({
    number: `INV-NUMB-${Number(ours) + 2}`,
    status: 'payment_processing',
  });
});

test.each([
  ['authorized', 'payment_processing.authorized'],
  ['payment_failed', 'payment_processing.failed'],
  ['payment_uncollectible', 'uncollectible'],
  ['payment_overdue', 'overdue'],
  ['action_required', 'payment_processing.action_required'],
  ['paid', 'paid'],
  ['void', 'voided'],
])('payment status %s → %s', async (trigger, status) => {
  const { id } = await invoiceOf(`status-${trigger}`);
  await report(id, 'draft/synchronized');
  await report(id, 'issuing/synchronized');
  await report(id, 'payment/status', { trigger });
  expect(extended(await getInvoice(t, id))).toBe(status);
});

test('the same report again, also at the same time or after later ones, changes nothing', async () => {
  const { id } = await invoiceOf('repeated');
  const taken = { invoicing: { invoice_number: 'R-1', external_id: 'ERP-1' } };
  await Promise.all([report(id, 'draft/synchronized', taken), report(id, 'draft/synchronized', taken)]);
  await report(id, 'issuing/synchronized', { invoicing: { invoice_number: 'R-2' } });
  await report(id, 'payment/status', { trigger: 'paid' });
  const before = await getInvoice(t, id);
  await report(id, 'draft/synchronized', taken);
  await report(id, 'issuing/synchronized', { invoicing: { invoice_number: 'R-2' } });
  expect(await getInvoice(t, id)).toEqual(before);
  expect(before).toMatchObject({ status: 'paid', number: 'R-2' });
});

test('400: reports in another status, for another app, and unknown ones; 404: no such invoice', async () => {
  const { id } = await invoiceOf('refused');
  expect(codeOf(await report(id, 'issuing/synchronized', {}, 400))).toBe('invoice_action_not_available');
  await report(id, 'draft/synchronized');
  await report(id, 'payment/status', { trigger: 'refunded' }, 400);
  await report(UNKNOWN_ID, 'draft/synchronized', {}, 404);
  const customer = await createCustomer(t, 'sandboxed');
  await createCharge(t, customer.id, flatCharge('10', NOW));
  const sandboxed = await invoiceNow(t, customer.id);
  expect(codeOf(await report(sandboxed.id, 'payment/status', { trigger: 'paid' }, 400))).toBe(
    'external_invoicing_only',
  );
});

test('the v1 paths take the same reports in their names', async () => {
  const draft = await invoiceOf('legacy');
  const legacy = async (what: string, body: unknown) => {
    const answer = await t.app.request(`/api/v1/apps/custom-invoicing/${draft.id}/${what}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKENS.admin}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.status;
  };
  const [line] = draft.lines;
  const lineExternalIds = [{ lineId: line.id, externalId: 'ERP-L' }];
  expect(await legacy('issuing/synchronized', {})).toBe(400);
  expect(await legacy('draft/synchronized', { invoicing: { number: 'X' } })).toBe(400);
  expect(await legacy('draft/synchronized', { invoicing: { externalId: 'ERP-7', lineExternalIds } })).toBe(204);
  const invoicing = { invoiceNumber: '2026/7', sentToCustomerAt: NOW };
  expect(await legacy('issuing/synchronized', { invoicing, payment: { externalId: 'PAY-7' } })).toBe(204);
  expect(await legacy('payment/status', { trigger: 'paid' })).toBe(204);
  expect(await getInvoice(t, draft.id)).toMatchObject({
    status: 'paid',
    number: '2026/7',
    external_references: { invoicing_id: 'ERP-7', payment_id: 'PAY-7' },
    lines: [{ external_references: { invoicing_id: 'ERP-L' } }],
  });
});

test('an overdue invoice is given up before it is voided, as a payment may still be under way', async () => {
  const { id } = await invoiceOf('given-up');
  await report(id, 'draft/synchronized');
  await report(id, 'issuing/synchronized');
  await report(id, 'payment/status', { trigger: 'payment_overdue' });
  expect(codeOf(await report(id, 'payment/status', { trigger: 'void' }, 400))).toBe('invoice_action_not_available');
  await report(id, 'payment/status', { trigger: 'payment_uncollectible' });
  await report(id, 'payment/status', { trigger: 'void' });
  expect(await getInvoice(t, id)).toMatchObject({ status: 'voided' });
});
