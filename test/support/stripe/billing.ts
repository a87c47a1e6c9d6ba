/** A backend with an account of the fake Stripe, and invoices that go out through it. */
import { expect } from 'vitest';
import { send } from '../answers.ts';
import { createTestBackend, type TestBackend } from '../backend.ts';
import { createCharge, flatCharge } from '../billing/charges.ts';
import { getInvoice, invoiceNow, useProfile } from '../billing/invoices.ts';
import { createCustomer } from '../customers/customers.ts';
import { testClock } from '../test-clock.ts';
import { type FakeStripe, STRIPE_KEY, startFakeStripe } from './fake-stripe.ts';

export const PUBLIC_URL = 'https://billing.example.com';
const KEY = Buffer.alloc(32, 7).toString('base64');
const NOW = '2026-11-21T12:00:00Z';

export interface StripeWorld {
  t: TestBackend;
  stripe: FakeStripe;
  appId: string;
  close(): Promise<void>;
}

/** What a backend needs to know of the fake. */
export const stripeParts = (stripe: FakeStripe) => ({
  stripe: { apiUrl: stripe.url, callsPerSecond: 10_000 },
  secretsKeys: [KEY],
  signIn: { publicUrl: PUBLIC_URL },
});

export async function startStripeWorld(): Promise<StripeWorld> {
  const clock = testClock(NOW);
  const stripe = await startFakeStripe(clock);
  const t = await createTestBackend({ clock, ...stripeParts(stripe) });
  const install = { type: 'stripe', name: 'Stripe', create_billing_profile: false, api_key: STRIPE_KEY };
  const { app } = await send(t, 'POST', '/app-catalog/install', install, 201);
  return {
    t,
    stripe,
    appId: app.id,
    close: async () => {
      await t.close();
      await stripe.close();
    },
  };
}

export interface Billed {
  workflow?: unknown;
  amounts?: readonly string[];
  currency?: string;
  /** Of the customer there; default: one with a card. */
  there?: Parameters<FakeStripe['addCustomer']>[0];
  charge?: Record<string, unknown>;
}

/** A customer that is linked to one there. */
export async function linkedCustomer({ t, stripe, appId }: StripeWorld, key: string, billed: Billed = {}) {
  const { workflow = {}, currency = 'USD', there = { method: `pm_${key}` } } = billed;
  const customer = await createCustomer(t, key, { currency });
  await useProfile(t, customer.id, workflow, appId);
  const stripeId = stripe.addCustomer(there);
  await send(t, 'PUT', `/customers/${customer.id}/billing/app-data`, { stripe: { customer_id: stripeId } }, 200);
  return { id: customer.id as string, stripeId };
}

/** An invoice of fees, as far as it comes without Stripe. */
export async function feesOf(
  { t }: StripeWorld,
  customerId: string,
  { amounts = ['10.50'], currency = 'USD', charge }: Billed = {},
) {
  for (const amount of amounts) {
    const fields = { currency, amount_before_proration: { amount, currency }, ...charge };
    await createCharge(t, customerId, flatCharge(amount, NOW, fields));
  }
  return (await invoiceNow(t, customerId)).id as string;
}

export async function billThroughStripe(world: StripeWorld, key: string, billed: Billed = {}) {
  const customer = await linkedCustomer(world, key, billed);
  const id = await feesOf(world, customer.id, billed);
  return { ...customer, invoiceId: id };
}

/** Those there that are ours, of an invoice here. */
export function thereOf({ stripe }: StripeWorld, invoiceId: string) {
  return [...stripe.invoices.values()].filter(({ metadata }) => metadata.om_invoice_id === invoiceId);
}

/** The only one there, with its sums. */
export function oneThere(world: StripeWorld, invoiceId: string) {
  const found = thereOf(world, invoiceId);
  expect(found).toHaveLength(1);
  // biome-ignore lint/suspicious/noExplicitAny: as in the fake
  return world.stripe.call('GET', `/v1/invoices/${found[0].id}`, {}) as any;
}

/** Stripe tells of an event. */
export async function tell(
  world: StripeWorld,
  type: string,
  object: unknown,
  options: Parameters<FakeStripe['event']>[2] = {},
) {
  const { body, signature } = world.stripe.event(type, object, options);
  return world.t.request('POST', `/apps/${world.appId}/stripe/webhook`, {
    rawBody: body,
    token: null,
    headers: { 'stripe-signature': signature, 'content-type': 'application/json' },
  });
}

export const stateOf = async ({ t }: StripeWorld, invoiceId: string): Promise<string> =>
  (await getInvoice(t, invoiceId)).status_details.extended_status;
