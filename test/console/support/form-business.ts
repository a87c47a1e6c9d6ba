import type { ConsoleBackend } from './console-backend.ts';
import { type Made, makeSmallBusiness } from './small-business.ts';

/** A small business with one of each thing more that forms change. */
export interface Business extends Made {
  /** A plan that can be changed. */
  draft: string;
  /** A customer that subscribes to a plan with an add-on: seats, of 5 dollars each. */
  buyer: string;
  /** A draft invoice of 10 dollars. */
  invoice: string;
}

export async function makeFormBusiness(backend: ConsoleBackend): Promise<Business> {
  const { api } = backend;
  const made = await makeSmallBusiness(backend);
  await api('POST', '/features', { name: 'Runs', key: 'runs', meter: { id: made.meter } });
  await api('POST', '/tax-codes', { name: 'Reduced', key: 'reduced', app_mappings: [] });
  const look = { precision: 0, decimal_mark: '.', thousand_separator: ',' };
  await api('POST', '/currencies/custom', { name: 'Credits', code: 'CREDITS', ...look });
  const price = { type: 'flat', amount: '5' };
  const seats = { key: 'seats', name: 'Seats', price, billing_cadence: 'P1M', payment_term: 'in_advance' };
  const addon = await api('POST', '/addons', {
    name: 'Seats',
    key: 'seats',
    currency: 'USD',
    instance_type: 'multiple',
    rate_cards: [seats],
  });
  await api('POST', `/addons/${addon.id}/publish`);
  const phases = [{ key: 'default', name: 'Default', rate_cards: [] }];
  const plan = { currency: 'USD', billing_cadence: 'P1M', phases };
  const draft = await api('POST', '/plans', { name: 'Draft', key: 'draft', ...plan });
  const buyer = await api('POST', '/customers', { name: 'Erin', key: 'erin' });
  const team = await teamPlan(backend, addon.id);
  await api('POST', '/subscriptions', { customer: { id: buyer.id }, plan: { id: team } });
  return { ...made, draft: draft.id, buyer: buyer.id, invoice: await draftInvoice(backend) };
}

/** A published plan of 20 dollars a month with an add-on. */
async function teamPlan({ api }: ConsoleBackend, addonId: string): Promise<string> {
  const price = { type: 'flat', amount: '20' };
  const fee = { key: 'base', name: 'Base fee', price, billing_cadence: 'P1M', payment_term: 'in_advance' };
  const { id } = await api('POST', '/plans', {
    name: 'Team',
    key: 'team',
    currency: 'USD',
    billing_cadence: 'P1M',
    phases: [{ key: 'default', name: 'Default', rate_cards: [fee] }],
  });
  await api('POST', `/plans/${id}/addons`, { name: 'Seats', addon: { id: addonId }, from_plan_phase: 'default' });
  await api('POST', `/plans/${id}/publish`);
  return id;
}

/** Dora, whose invoices wait for approval, with a charge that is due. @returns her id */
export async function makeCustomerOfDrafts(
  { api }: ConsoleBackend,
  period?: { from: string; to: string },
): Promise<string> {
  const dora = await api('POST', '/customers', {
    name: 'Dora',
    key: 'dora',
    currency: 'USD',
    labels: { 'sandbox-payment': 'pending' },
  });
  const [first] = (await api('GET', '/profiles')).data;
  const workflow = { invoicing: { auto_advance: false } };
  const profile = { name: first.name, supplier: first.supplier, apps: first.apps, workflow, default: false };
  const { id } = await api('POST', '/profiles', profile);
  await api('PUT', `/customers/${dora.id}/billing`, { billing_profile: { id } });
  const now = new Date().toISOString();
  await api('POST', `/customers/${dora.id}/charges`, {
    type: 'flat_fee',
    name: 'Setup',
    currency: 'USD',
    invoice_at: now,
    service_period: period ?? { from: now, to: now },
    settlement_mode: 'credit_then_invoice',
    payment_term: 'in_advance',
    proration_configuration: { mode: 'no_proration' },
    amount_before_proration: { amount: '10', currency: 'USD' },
  });
  return dora.id;
}

async function draftInvoice(backend: ConsoleBackend): Promise<string> {
  const dora = await makeCustomerOfDrafts(backend);
  const made = await backend.api('POST', `/customers/${dora}/invoices`, { progressive_billing: true });
  return made.data[0].id;
}
