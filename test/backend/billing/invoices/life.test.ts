import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, send, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge, usageCharge } from '../../../support/billing/charges.ts';
import { act, extended, getInvoice, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
let featureId: string;
beforeAll(async () => {
  t = await createTestBackend();
  featureId = (await createMeteredFeature(t, 'calls')).id;
});
afterAll(() => t.close());

const MANUAL = { invoicing: { auto_advance: false } };
/** A customer with a draft of 10 USD that waits for approval. */
async function draft(key: string, workflow: unknown = MANUAL) {
  const customer = await createCustomer(t, key, { name: 'ACME Inc.' });
  await useProfile(t, customer.id, workflow);
  await createCharge(t, customer.id, flatCharge('10', NOW));
  return { customer, invoice: await invoiceNow(t, customer.id) };
}
/** What a PUT needs to change nothing. */
const unchanged = (invoice: Awaited<ReturnType<typeof getInvoice>>) => {
  const { supplier, customer, type, workflow, lines } = invoice;
  const { invoicing, payment } = workflow.workflow;
  const { due_after: _, ...settings } = invoicing;
  return {
    supplier,
    customer,
    type,
    workflow: { workflow: { invoicing: settings, payment } },
    lines: lines.map(({ id, name, service_period, rate_card }: Record<string, unknown>) => ({
      id,
      name,
      type: 'standard_line',
      service_period,
      rate_card,
    })),
  };
};

describe('through the sandbox', () => {
  test('a flat fee is issued, numbered and paid at once', async () => {
    const { customer, invoice } = await draft('flat', {});
    expect(invoice).toMatchObject({
      status: 'paid',
      currency: 'USD',
      issued_at: NOW,
      due_at: '2026-12-21T12:00:00Z',
      customer: { id: customer.id, key: 'flat', name: 'ACME Inc.' },
      supplier: { name: 'S' },
      totals: { amount: '10', total: '10', discounts_total: '0' },
      status_details: { immutable: true, failed: false, extended_status: 'paid', available_actions: {} },
    });
    expect(invoice.number).toMatch(/^OM-SANDBOX-ACIN-\d+$/);
    expect(invoice.lines).toHaveLength(1);
    expect(invoice.lines[0].detailed_lines).toMatchObject([{ quantity: '1', unit_price: '10', category: 'regular' }]);
  });

  test.each([
    ['failed', 'payment_processing.failed'],
    ['action_required', 'payment_processing.action_required'],
    ['uncollectible', 'uncollectible'],
    ['pending', 'payment_processing.pending'],
  ])('a label lets a test choose that the payment is %s', async (outcome, status) => {
    const customer = await createCustomer(t, `label-${outcome}`, { labels: { 'sandbox-payment': outcome } });
    await createCharge(t, customer.id, flatCharge('10', NOW));
    expect(extended(await invoiceNow(t, customer.id))).toBe(status);
  });

  test('numbers of issued invoices have no gaps, whatever happens to drafts', async () => {
    const number = (invoice: { number: string }) => Number(invoice.number.split('-').at(-1));
    const first = number((await draft('gap-1', {})).invoice);
    const { invoice: deleted } = await draft('gap-2');
    expect(deleted.number).toMatch(/^DRAFT-ACIN-\d+$/);
    await send(t, 'DELETE', `/billing/invoices/${deleted.id}`, undefined, 204);
    const { invoice: approved } = await draft('gap-3');
    expect(number((await draft('gap-4', {})).invoice)).toBe(first + 1);
    expect(number(await act(t, approved.id, 'approve'))).toBe(first + 2);
  });

  test('usage waits for late events, then its quantity is taken', async () => {
    const customer = await createCustomer(t, 'usage');
    await sendEvents(t, 'calls', 'usage', '2026-11-21T10:00:00Z', [1, 2, 3]);
    await createCharge(t, customer.id, usageCharge(featureId, '2026-11-21T00:00:00Z', '2026-11-21T11:30:00Z'));
    const invoice = await invoiceNow(t, customer.id);
    expect(invoice).toMatchObject({ status: 'draft', collection_at: '2026-11-21T12:30:00Z', totals: { total: '0' } });
    expect(invoice.status_details.available_actions).toEqual({
      delete: { resulting_state: 'deleted' },
      snapshot_quantities: { resulting_state: 'draft.collecting' },
    });
    expect(codeOf(await act(t, invoice.id, 'advance', 400))).toBe('invoice_cannot_advance');
    await sendEvents(t, 'calls', 'usage', '2026-11-21T11:00:00Z', [4]);
    const taken = await act(t, invoice.id, 'snapshot-quantities');
    expect(taken).toMatchObject({ quantity_snapshotted_at: NOW, totals: { total: '2' } });
    expect(extended(taken)).toBe('draft.waiting_auto_approval');
    const paid = await act(t, invoice.id, 'approve');
    expect(paid).toMatchObject({ status: 'paid', totals: { total: '2' } });
    expect(paid.lines[0].detailed_lines[0]).toMatchObject({ quantity: '4', unit_price: '0.5' });
  });
});

describe('drafts', () => {
  test('approval issues; approving twice is refused', async () => {
    const { invoice } = await draft('approve');
    expect(extended(invoice)).toBe('draft.manual_approval_needed');
    expect(invoice.status_details.available_actions).toEqual({
      approve: { resulting_state: 'draft.ready_to_issue' },
      delete: { resulting_state: 'deleted' },
    });
    expect(invoice.draft_until).toBeUndefined();
    expect((await act(t, invoice.id, 'approve')).status).toBe('paid');
    expect(codeOf(await act(t, invoice.id, 'approve', 400))).toBe('invoice_action_not_available');
  });

  test('a draft period is waited for, or cut short by approval', async () => {
    const { invoice } = await draft('period', { invoicing: { draft_period: 'P1D' } });
    expect(invoice).toMatchObject({ draft_until: '2026-11-22T12:00:00Z' });
    expect(extended(invoice)).toBe('draft.waiting_auto_approval');
    expect((await act(t, invoice.id, 'approve')).status).toBe('paid');
  });

  test('deleted: gone from lists, readable, neither changed nor billed again', async () => {
    const { customer, invoice } = await draft('delete');
    await send(t, 'DELETE', `/billing/invoices/${invoice.id}`, undefined, 204);
    expect((await getInvoice(t, invoice.id)).deleted_at).toBe(NOW);
    const { data } = await send(t, 'GET', `/billing/invoices?filter[customer_id]=${customer.id}`, undefined, 200);
    expect(data).toEqual([]);
    await send(t, 'PUT', `/billing/invoices/${invoice.id}`, unchanged(invoice), 409);
    await send(t, 'DELETE', `/billing/invoices/${invoice.id}`, undefined, 404);
    expect(codeOf(await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 400))).toBe(
      'invoice_create_no_lines',
    );
  });

  test('an issued invoice is neither changed nor deleted', async () => {
    const { invoice } = await draft('issued', {});
    const put = await send(t, 'PUT', `/billing/invoices/${invoice.id}`, unchanged(invoice), 400);
    expect(codeOf(put)).toBe('invoice_cannot_be_edited');
    const removed = await send(t, 'DELETE', `/billing/invoices/${invoice.id}`, undefined, 400);
    expect(codeOf(removed)).toBe('invoice_action_not_available');
  });
});

describe('editing', () => {
  test('nothing changed: the same money', async () => {
    const { invoice } = await draft('edit-0');
    const same = await send(t, 'PUT', `/billing/invoices/${invoice.id}`, unchanged(invoice), 200);
    expect(same).toMatchObject({ totals: invoice.totals, lines: [{ lifecycle_controller: 'manual' }] });
  });

  test('name, price, a line more and a line less are rated again', async () => {
    const { invoice } = await draft('edit-1');
    const body = unchanged(invoice);
    const [line] = body.lines;
    const price = { type: 'flat', amount: '12.5' };
    const more = { type: 'standard_line', name: 'More', service_period: line?.service_period, rate_card: { price } };
    const changed = await send(
      t,
      'PUT',
      `/billing/invoices/${invoice.id}`,
      { ...body, lines: [{ ...line, name: 'Renamed', rate_card: { price, discounts: { percentage: 10 } } }, more] },
      200,
    );
    expect(changed.totals).toMatchObject({ amount: '25', discounts_total: '1.25', total: '23.75' });
    expect(changed.lines.map(({ name }: { name: string }) => name)).toEqual(['Renamed', 'More']);
    expect(changed.lines[0].id).toBe(invoice.lines[0].id);
    const less = unchanged(changed);
    const last = await send(t, 'PUT', `/billing/invoices/${invoice.id}`, { ...less, lines: less.lines.slice(1) }, 200);
    expect(last.totals.total).toBe('12.5');
    const none = await send(t, 'PUT', `/billing/invoices/${invoice.id}`, { ...less, lines: [] }, 200);
    expect(none).toMatchObject({ totals: { total: '0' }, lines: [] });
    expect((await act(t, invoice.id, 'approve')).deleted_at).toBe(NOW);
  });

  test('a line with a usage price asks the meter', async () => {
    const { customer, invoice } = await draft('edit-2');
    await sendEvents(t, 'calls', customer.key, '2026-11-21T11:00:00Z', [1, 2]);
    const body = unchanged(invoice);
    const usage = {
      type: 'standard_line',
      name: 'Calls',
      service_period: { from: '2026-11-21T00:00:00Z', to: '2026-11-21T12:00:00Z' },
      rate_card: { price: { type: 'unit', amount: '3' }, feature_key: 'calls' },
    };
    await send(t, 'PUT', `/billing/invoices/${invoice.id}`, { ...body, lines: [...body.lines, usage] }, 200);
    expect((await act(t, invoice.id, 'snapshot-quantities')).totals.total).toBe('16');
  });

  test('supplier, customer, workflow and labels; what is copied stays as it is when its source changes', async () => {
    const { customer, invoice } = await draft('edit-3');
    const body = unchanged(invoice) as Record<string, unknown>;
    const changed = await send(
      t,
      'PUT',
      `/billing/invoices/${invoice.id}`,
      {
        ...body,
        description: 'Thanks',
        labels: { a: 'b' },
        supplier: { name: 'Other' },
        customer: { id: customer.id, name: 'ACME Holding' },
        workflow: { workflow: { payment: { collection_method: 'send_invoice', due_after: 'P7D' } } },
      },
      200,
    );
    expect(changed).toMatchObject({ description: 'Thanks', labels: { a: 'b' }, supplier: { name: 'Other' } });
    await send(t, 'PUT', `/customers/${customer.id}`, { name: 'Renamed' }, 200);
    const issued = await act(t, invoice.id, 'approve');
    expect(issued).toMatchObject({ customer: { name: 'ACME Holding' }, due_at: '2026-11-28T12:00:00Z' });
  });

  test.each([
    ['another customer', { customer: { id: UNKNOWN_ID, name: 'X' } }, 'customer.id'],
    [
      'a line that is not there',
      {
        lines: [
          {
            id: UNKNOWN_ID,
            name: 'X',
            type: 'standard_line',
            service_period: { from: NOW, to: NOW },
            rate_card: { price: { type: 'flat', amount: '1' } },
          },
        ],
      },
      'lines',
    ],
    [
      'usage without a feature',
      {
        lines: [
          {
            name: 'X',
            type: 'standard_line',
            service_period: { from: NOW, to: NOW },
            rate_card: { price: { type: 'unit', amount: '1' } },
          },
        ],
      },
      'lines.0.rate_card.feature_key',
    ],
    ['no workflow', { workflow: undefined }, 'workflow'],
    ['another type', { type: 'credit_note' }, 'type'],
  ])('400: %s', async (name, change, field) => {
    const { invoice } = await draft(`edit-400-${name}`);
    const json = await send(t, 'PUT', `/billing/invoices/${invoice.id}`, { ...unchanged(invoice), ...change }, 400);
    expect(json.invalid_parameters[0].field).toBe(field);
  });
});

describe('lists and access', () => {
  test('filters, sorting, pages; without lines', async () => {
    const customer = await createCustomer(t, 'list');
    const make = async (amount: string) => {
      await createCharge(t, customer.id, flatCharge(amount, NOW));
      return invoiceNow(t, customer.id);
    };
    const [one, two] = [await make('1'), await make('2')];
    const list = async (query: string) => {
      const { data } = await send(
        t,
        'GET',
        `/billing/invoices?filter[customer_id]=${customer.id}${query}`,
        undefined,
        200,
      );
      return data.map((item: { id: string }) => item.id);
    };
    expect(await list('')).toEqual([one.id, two.id]);
    expect(await list('&sort=created_at desc')).toEqual([two.id, one.id]);
    expect(await list('&filter[status][oeq]=draft,paid')).toEqual([one.id, two.id]);
    expect(await list('&filter[status]=draft')).toEqual([]);
    expect(await list('&filter[issued_at][gte]=2026-11-21T12:00:00Z&page[size]=1')).toEqual([one.id]);
    expect(await list('&filter[service_period_start][lt]=2026-11-21T12:00:00Z')).toEqual([]);
    const { data } = await send(t, 'GET', `/billing/invoices?filter[customer_id]=${customer.id}`, undefined, 200);
    expect(data[0].lines).toBeUndefined();
    await send(t, 'GET', '/billing/invoices?sort=total', undefined, 400);
  });

  test.each([
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/advance'],
    ['POST', '/approve'],
    ['POST', '/retry'],
    ['POST', '/snapshot-quantities'],
    ['POST', '/void'],
    ['POST', '/mark-uncollectible'],
  ])('%s %s: 401, 403, 404', async (method, action) => {
    const path = `/billing/invoices/${UNKNOWN_ID}${action}`;
    const { invoice } = await draft(`access-${method}${action}`);
    const sent = method === 'GET' ? {} : { body: unchanged(invoice) };
    expect((await t.request(method, path, { ...sent, token: null })).status).toBe(401);
    const role = method === 'GET' ? TOKENS.ingest : TOKENS.viewer;
    expect((await t.request(method, path, { ...sent, token: role })).status).toBe(403);
    expect((await t.request(method, path, sent)).status).toBe(404);
    expect((await t.request(method, `/billing/invoices/x${action}`, sent)).status).toBe(404);
  });
});

describe('after the issue', () => {
  test('void and uncollectible', async () => {
    const customer = await createCustomer(t, 'after', { labels: { 'sandbox-payment': 'failed' } });
    const issue = async () => {
      await createCharge(t, customer.id, flatCharge('10', NOW));
      return invoiceNow(t, customer.id);
    };
    const [one, two] = [await issue(), await issue()];
    expect((await act(t, one.id, 'void')).status).toBe('voided');
    expect(codeOf(await act(t, one.id, 'void', 400))).toBe('invoice_action_not_available');
    expect((await act(t, two.id, 'mark-uncollectible')).status).toBe('uncollectible');
    expect((await act(t, two.id, 'void')).status).toBe('voided');
  });

  test('a failed payment is tried again', async () => {
    const customer = await createCustomer(t, 'retry', { labels: { 'sandbox-payment': 'failed' } });
    await createCharge(t, customer.id, flatCharge('10', NOW));
    const { id } = await invoiceNow(t, customer.id);
    expect(extended(await act(t, id, 'retry'))).toBe('payment_processing.failed');
  });
});
