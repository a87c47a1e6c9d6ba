/**
 * A bill of many lines: more than one statement takes parameters for. LONG=1 makes it as long as the documents say. No step
 * keeps others waiting.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { extended, useProfile } from '../../../support/billing/invoices.ts';
import { storeCredits, storeFees } from '../../../support/billing/many-charges.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { expectShortTurns, measureTurns } from '../../../support/turn-meter.ts';

const LINES = process.env['LONG'] === '1' ? 20_000 : 3200;

let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: '2026-01-31T00:00:00Z' });
});
afterAll(() => t.close());

/** Drafts wait for approval. */
async function customerWithFees(key: string, fees = LINES, fields: Record<string, unknown> = {}) {
  const customer = await createCustomer(t, key, fields);
  await useProfile(t, customer.id, { invoicing: { auto_advance: false } });
  await storeFees(t, customer.id, fees, '2026-01-30T00:00:00Z');
  return customer;
}

/** As a client asks over the network: what it makes of the answer is not this thread's work. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
async function ask(method: string, path: string, body?: unknown): Promise<any> {
  const { result, turns } = await measureTurns(async () => {
    const response = await t.app.request(`/v3/openmeter${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKENS.admin}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body ?? []) pieces.push(piece);
    return { status: response.status, pieces };
  });
  expectShortTurns(turns);
  const text = Buffer.concat(result.pieces).toString();
  expect({ status: result.status, text: result.status < 300 ? '' : text.slice(0, 500) }).toMatchObject({ text: '' });
  return text === '' ? undefined : JSON.parse(text);
}

test(`a bill of ${LINES} lines is previewed, made, changed, issued and read`, async () => {
  const customer = await customerWithFees('long-bill');
  const preview = await ask('GET', `/customers/${customer.id}/invoice-preview`);
  expect([preview.lines.length, preview.totals.total]).toEqual([LINES, `${LINES}`]);
  const {
    data: [made],
  } = await ask('POST', `/customers/${customer.id}/invoices`, {});
  expect([made.lines.length, made.totals.total]).toEqual([LINES, `${LINES}`]);
  expect(new Set(made.lines.map(({ charge }: { charge: { id: string } }) => charge.id)).size).toBe(LINES);
  const path = `/billing/invoices/${made.id}`;
  const { supplier, customer: billed, workflow } = made;
  const { invoicing, payment } = workflow.workflow;
  const { auto_advance, draft_period } = invoicing;
  const head = {
    supplier,
    customer: billed,
    workflow: { workflow: { invoicing: { auto_advance, draft_period }, payment } },
  };
  const body = { ...head, type: 'standard', description: 'A long one' };
  expect(await ask('PUT', path, body)).toMatchObject({ description: 'A long one', totals: { total: `${LINES}` } });
  const issued = await ask('POST', `${path}/approve`);
  expect(extended(issued)).toBe('paid');
  const listed = await ask('GET', `/billing/invoices?filter[customer_id]=${customer.id}`);
  expect(listed.data).toMatchObject([{ id: made.id, totals: { total: `${LINES}` } }]);
  const read = await ask('GET', path);
  expect([read.lines.length, read.lines.at(-1).totals.total]).toEqual([LINES, '1']);
  const charges = await ask('GET', `/customers/${customer.id}/charges?page[size]=100&page[number]=${LINES / 100}`);
  expect(charges.data).toHaveLength(100);
  expect(charges.data[0].status).toBe('final');
});

test(`a draft of ${LINES} lines is deleted: nothing of it is billed again`, async () => {
  const customer = await customerWithFees('deleted-draft');
  const made = await ask('POST', `/customers/${customer.id}/invoices`, {});
  await ask('DELETE', `/billing/invoices/${made.data[0].id}`);
  const { data, meta } = await ask('GET', `/customers/${customer.id}/charges?filter[status]=deleted`);
  expect([meta.page.total, data[0].status]).toEqual([LINES, 'deleted']);
});

/** A transaction is committed in one turn: with 20,000 lines of which half change a credit too, that alone is 100 ms. */
const CREDITED = Math.min(LINES, 10_000);
const HALF = CREDITED / 2;

test(`a bill of ${CREDITED} lines takes credits, as many as fees; when it is void they wait for the next one`, async () => {
  const customer = await customerWithFees('corrected', HALF, { labels: { 'sandbox-payment': 'failed' } });
  await storeCredits(t, customer.id, HALF);
  const {
    data: [made],
  } = await ask('POST', `/customers/${customer.id}/invoices`, {});
  expect([made.lines.length, made.totals.total]).toEqual([CREDITED, `${HALF / 2}`]);
  const path = `/billing/invoices/${made.id}`;
  expect(extended(await ask('POST', `${path}/approve`))).toBe('payment_processing.failed');
  expect(extended(await ask('POST', `${path}/void`))).toBe('voided');
  const corrections = await ask('GET', `/customers/${customer.id}/billing-corrections`);
  expect([corrections.meta.page.total, corrections.owed]).toEqual([HALF, [{ currency: 'USD', amount: `${HALF / 2}` }]]);
});
