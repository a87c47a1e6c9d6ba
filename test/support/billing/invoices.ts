import { expect } from 'vitest';
import { create, type Json, send } from '../answers.ts';
import type { TestBackend } from '../backend.ts';

/** Everything that is due, invoiced now. */
export async function invoiceNow(t: TestBackend, customerId: string, body: unknown = {}): Promise<Json> {
  const { data } = await create(t, `/customers/${customerId}/invoices`, body);
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
  const apps = { tax: app, invoicing: app, payment: app };
  const profile = await create(t, '/profiles', { name: 'P', supplier: { name: 'S' }, workflow, apps, default: false });
  await send(t, 'PUT', `/customers/${customerId}/billing`, { billing_profile: { id: profile.id } }, 200);
  return profile;
}
