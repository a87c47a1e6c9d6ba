import { expect } from 'vitest';
import type { Answer, TestBackend } from '../../../support/backend.ts';

export const UNKNOWN_ID = '01HZZZZZZZZZZZZZZZZZZZZZZZ';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; each answer is held against the contract
type Json = any;

export async function send(t: TestBackend, method: string, path: string, body: unknown, status: number): Promise<Json> {
  const answer: Answer = await t.request(method, path, body === undefined ? {} : { body });
  expect({ status: answer.status, body: answer.status === status ? '' : answer.text }).toEqual({ status, body: '' });
  return answer.json;
}

/** A customer whose events have its key as their subject. */
export function createCustomer(t: TestBackend, key: string, fields: Record<string, unknown> = {}): Promise<Json> {
  return send(t, 'POST', '/customers', { key, name: key, currency: 'USD', ...fields }, 201);
}

/** A feature that counts events of a type of its own. */
export async function createFeature(
  t: TestBackend,
  key: string,
  aggregation: 'count' | 'sum' = 'count',
): Promise<Json> {
  const meter = await send(
    t,
    'POST',
    '/meters',
    { key, name: key, event_type: key, aggregation, ...(aggregation === 'sum' && { value_property: '$.value' }) },
    201,
  );
  return send(t, 'POST', '/features', { key, name: key, meter: { id: meter.id } }, 201);
}

let eventCount = 0;
/** Events of a type, all at one instant. */
export async function sendEvents(
  t: TestBackend,
  type: string,
  subject: string,
  time: string,
  values: readonly unknown[],
): Promise<void> {
  const events = values.map((value) => {
    eventCount += 1;
    return { specversion: '1.0', id: `e${eventCount}`, source: 'test', type, subject, time, data: { value } };
  });
  await send(t, 'POST', '/events', events, 202);
}

export function flatCharge(amount: string, invoiceAt: string, fields: Record<string, unknown> = {}) {
  return {
    type: 'flat_fee',
    name: 'Fee',
    currency: 'USD',
    invoice_at: invoiceAt,
    service_period: { from: invoiceAt, to: invoiceAt },
    settlement_mode: 'credit_then_invoice',
    payment_term: 'in_advance',
    proration_configuration: { mode: 'no_proration' },
    amount_before_proration: { amount, currency: 'USD' },
    ...fields,
  };
}

export function usageCharge(featureId: string, from: string, to: string, fields: Record<string, unknown> = {}) {
  return {
    type: 'usage_based',
    name: 'Usage',
    currency: 'USD',
    invoice_at: to,
    service_period: { from, to },
    settlement_mode: 'credit_then_invoice',
    feature_id: featureId,
    price: { type: 'unit', amount: '0.5' },
    ...fields,
  };
}

export const createCharge = (t: TestBackend, customerId: string, charge: unknown): Promise<Json> =>
  send(t, 'POST', `/customers/${customerId}/charges`, charge, 201);

/** Everything that is due, invoiced now. */
export async function invoiceNow(t: TestBackend, customerId: string, body: unknown = {}): Promise<Json> {
  const { data } = await send(t, 'POST', `/customers/${customerId}/invoices`, body, 201);
  expect(data).toHaveLength(1);
  return data[0];
}

export const act = (t: TestBackend, id: string, action: string, status = 200): Promise<Json> =>
  send(t, 'POST', `/billing/invoices/${id}/${action}`, undefined, status);

export const getInvoice = (t: TestBackend, id: string): Promise<Json> =>
  send(t, 'GET', `/billing/invoices/${id}`, undefined, 200);

export const extended = (invoice: Json): string => invoice.status_details.extended_status;

/** A profile for one customer. */
export async function useProfile(
  t: TestBackend,
  customerId: string,
  workflow: unknown,
  appId = '01JD0000000000000000000001',
): Promise<Json> {
  const app = { id: appId };
  const profile = await send(
    t,
    'POST',
    '/profiles',
    { name: 'P', supplier: { name: 'S' }, workflow, apps: { tax: app, invoicing: app, payment: app }, default: false },
    201,
  );
  await send(t, 'PUT', `/customers/${customerId}/billing`, { billing_profile: { id: profile.id } }, 200);
  return profile;
}

/** The code that a refusal carries. */
export const codeOf = (json: Json): string => json.extensions.validationErrors[0].code;
