import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, send } from '../../../support/answers.ts';
import { createTestBackend, TOKENS } from '../../../support/backend.ts';
import { useProfile } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import {
  billThroughStripe,
  linkedCustomer,
  oneThere,
  PUBLIC_URL,
  type StripeWorld,
  startStripeWorld,
  stateOf,
  tell,
} from '../../../support/stripe/billing.ts';
import { STRIPE_KEY } from '../../../support/stripe/fake-stripe.ts';

let world: StripeWorld;
beforeAll(async () => {
  world = await startStripeWorld();
});
afterAll(() => world.close());

const install = (api_key: string, status: number) =>
  send(
    world.t,
    'POST',
    '/app-catalog/install',
    { type: 'stripe', name: 'S', create_billing_profile: false, api_key },
    status,
  );

test('an account is connected: masked, its events sent here, its secrets sealed', async () => {
  const app = await send(world.t, 'GET', `/apps/${world.appId}`, undefined, 200);
  expect(app).toMatchObject({
    type: 'stripe',
    status: 'ready',
    account_id: 'acct_fakefakefake',
    livemode: false,
    masked_api_key: 'sk_test_***123',
  });
  expect([...world.stripe.endpoints.values()]).toMatchObject([
    { url: `${PUBLIC_URL}/v3/openmeter/apps/${world.appId}/stripe/webhook` },
  ]);
  const { kysely } = world.t.db as unknown as {
    kysely: { selectFrom(table: string): { selectAll(): { execute(): Promise<unknown[]> } } };
  };
  const stored = JSON.stringify([
    await kysely.selectFrom('app_secrets').selectAll().execute(),
    await kysely.selectFrom('apps').selectAll().execute(),
    (await world.t.request('GET', '/audit-log?page[size]=100')).json,
  ]);
  expect(stored).toContain('v1:');
  expect(stored + world.t.logLines.join()).not.toMatch(/sk_test_fake\w+__|whsec_fake/);
});

test('refused: a second app of the account, keys that open nothing, keys that are none', async () => {
  expect(codeOf(await install('sk_test_fakefakefake__456', 409))).toBe('app_account_in_use');
  expect(codeOf(await install('sk_test_nothing1234', 400))).toBe('stripe_key_refused');
  expect(codeOf(await install('hello', 400))).toBe('stripe_key_malformed');
  // What was set up there for an app that did not come to be is taken back.
  expect(world.stripe.endpoints.size).toBe(1);
});

test('a key that is revoked stops everything; another one of the account sets it going', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'revoked');
  world.stripe.revoke(STRIPE_KEY);
  await world.t.outgoing.work();
  expect((await send(world.t, 'GET', `/apps/${world.appId}`, undefined, 200)).status).toBe('unauthorized');
  expect(await stateOf(world, id)).toBe('draft.syncing');
  const put = (secret_api_key: string, status: number) =>
    send(world.t, 'PUT', `/apps/${world.appId}`, { type: 'stripe', name: 'Stripe', secret_api_key }, status);
  expect(codeOf(await put('sk_test_another__1', 400))).toBe('stripe_account_differs');
  expect(await put('sk_test_fakefakefake__789', 200)).toMatchObject({
    status: 'ready',
    masked_api_key: 'sk_test_***789',
  });
  await world.t.outgoing.work();
  expect(await stateOf(world, id)).toBe('payment_processing.pending');
});

test('a customer goes through a checkout session: its method is the default from then on', async () => {
  const customer = await createCustomer(world.t, 'checkout', { primary_email: 'c@example.com' });
  await useProfile(world.t, customer.id, {}, world.appId);
  const sessions = `/customers/${customer.id}/billing/stripe`;
  const options = { stripe_options: { success_url: 'https://a.example/done', metadata: { order: '7' } } };
  const session = await send(world.t, 'POST', `${sessions}/checkout-sessions`, options, 201);
  expect(session).toMatchObject({ mode: 'setup', url: expect.stringContaining('https://'), metadata: { order: '7' } });
  const again = await send(world.t, 'POST', `${sessions}/checkout-sessions`, options, 201);
  expect(again.stripe_customer_id).toBe(session.stripe_customer_id);
  const intent = world.stripe.completeSetup(session.session_id);
  expect((await tell(world, 'setup_intent.succeeded', intent)).status).toBe(200);
  await world.t.outgoing.work();
  const billing = await send(world.t, 'GET', `/customers/${customer.id}/billing`, undefined, 200);
  expect(billing.app_data.stripe).toEqual({
    customer_id: session.stripe_customer_id,
    default_payment_method_id: intent.payment_method,
  });
  const portal = await send(world.t, 'POST', `${sessions}/portal-sessions`, { stripe_options: { locale: 'de' } }, 201);
  expect(portal).toMatchObject({ stripe_customer_id: session.stripe_customer_id, locale: 'de', livemode: false });
  const log =
    JSON.stringify((await world.t.request('GET', '/audit-log?page[size]=100')).json) + world.t.logLines.join();
  expect(log).not.toContain(session.url);
  expect(log).not.toContain(portal.url);
  expect(
    (await world.t.request('POST', `${sessions}/portal-sessions`, { token: TOKENS.viewer, body: {} })).status,
  ).toBe(403);
});

test('links that cannot be: no such customer, another’s, a method of somebody else', async () => {
  const { stripeId } = await linkedCustomer(world, 'linked');
  const other = await createCustomer(world.t, 'other-link');
  const link = (stripe: unknown) => send(world.t, 'PUT', `/customers/${other.id}/billing/app-data`, { stripe }, 400);
  expect(codeOf(await link({ customer_id: 'cus_none' }))).toBe('stripe_customer_invalid');
  expect(codeOf(await link({ customer_id: stripeId }))).toBe('stripe_customer_in_use');
  const mine = world.stripe.addCustomer();
  expect(codeOf(await link({ customer_id: mine, default_payment_method_id: 'pm_linked' }))).toBe(
    'stripe_payment_method_invalid',
  );
});

test('events: wrong, old and of nobody are refused; unknown and repeated ones are taken and change nothing', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'events');
  await world.t.outgoing.work();
  const there = oneThere(world, id);
  expect((await tell(world, 'invoice.paid', there, { secret: 'whsec_wrong' })).status).toBe(400);
  expect((await tell(world, 'invoice.paid', there, { atMs: world.t.clock.nowMs() - 301_000 })).status).toBe(400);
  const path = '/apps/01HZZZZZZZZZZZZZZZZZZZZZZZ/stripe/webhook';
  expect((await world.t.request('POST', path, { token: null, rawBody: '{}' })).status).toBe(404);
  expect((await tell(world, 'a.type.of.tomorrow', { object: 'thing' })).status).toBe(200);
  // It says paid, and is not: what is there counts.
  expect((await tell(world, 'invoice.paid', { ...there, status: 'paid' }, { id: 'evt_same' })).status).toBe(200);
  await world.t.outgoing.work();
  expect(await stateOf(world, id)).toBe('payment_processing.pending');
  world.stripe.settle(there.id, 'paid');
  expect((await tell(world, 'invoice.paid', there, { id: 'evt_same' })).status).toBe(200);
  await world.t.outgoing.work();
  expect(await stateOf(world, id)).toBe('payment_processing.pending');
  // An event that is lost is made up for within the hour.
  world.t.clock.advanceMs(3_600_000);
  await world.t.outgoing.work();
  expect(await stateOf(world, id)).toBe('paid');
});

test('without a key to seal with, no key is taken', async () => {
  const t = await createTestBackend();
  const body = { type: 'stripe', name: 'S', create_billing_profile: false, api_key: STRIPE_KEY };
  expect(codeOf(await send(t, 'POST', '/app-catalog/install', body, 400))).toBe('secrets_key_missing');
  await t.close();
});
