import type { TestBackend } from '../../support/backend.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers were held against the contract; tests look into them freely
type Answered = any;

export const NOW = '2026-11-21T12:00:00Z';
const NEXT_MONTH = '2026-12-21T12:00:00Z';
export const PERIOD = { from: NOW, to: NEXT_MONTH };

/** Makes what operations need to find, each time anew, through the API itself. */
export type World = ReturnType<typeof createWorld>;

/** @param backend whose clock stands at `NOW` */
export function createWorld(backend: TestBackend) {
  let made = 0;
  const nextKey = (prefix: string) => `${prefix}_${++made}`;
  const call = async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const answer = await backend.request(method, path, body === undefined ? {} : { body });
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json;
  };
  const customer = () => {
    const key = nextKey('customer');
    return call('POST', '/customers', { key, name: key, currency: 'USD', usage_attribution: { subject_keys: [key] } });
  };
  let key = '';
  /** Of an account of its own. */
  const stripeKey = () => {
    key = `sk_test_${nextKey('conformance').replaceAll('_', '')}__1`;
    return key;
  };
  const stripeApp = async () => {
    const body = { type: 'stripe', name: 'Stripe', create_billing_profile: false, api_key: stripeKey() };
    return (await call('POST', '/app-catalog/install', body)).app;
  };
  const stripeSession = (id: string) =>
    call('POST', `/customers/${id}/billing/stripe/checkout-sessions`, {
      stripe_options: { success_url: 'https://a.example' },
    });
  /** Billed through an app of Stripe. */
  const stripeCustomer = async () => {
    const [of, { id }] = [await customer(), await stripeApp()];
    const apps = { tax: { id }, invoicing: { id }, payment: { id } };
    const made = await call('POST', '/profiles', {
      name: 'S',
      supplier: { name: 'S' },
      workflow: {},
      apps,
      default: false,
    });
    await call('PUT', `/customers/${of.id}/billing`, { billing_profile: { id: made.id } });
    return of;
  };
  const meter = () => {
    const key = nextKey('meter');
    const dimensions = { model: '$.model', key0: '$.key0' };
    return call('POST', '/meters', { key, name: key, event_type: key, aggregation: 'count', dimensions });
  };
  const feature = async () => {
    const key = nextKey('feature');
    return call('POST', '/features', { key, name: key, meter: { id: (await meter()).id } });
  };
  const feeCard = () => ({
    name: 'Fee',
    key: nextKey('fee'),
    billing_cadence: 'P1M',
    price: { type: 'flat', amount: '10' },
  });
  const planDraft = (phases?: unknown[]) => {
    const key = nextKey('plan');
    const standard = [{ name: 'Default', key: 'default', rate_cards: [feeCard()] }];
    return call('POST', '/plans', {
      key,
      name: key,
      currency: 'USD',
      billing_cadence: 'P1M',
      phases: phases ?? standard,
    });
  };
  const addonDraft = () => {
    const key = nextKey('addon');
    const body = { key, name: key, currency: 'USD', instance_type: 'multiple', rate_cards: [feeCard()] };
    return call('POST', '/addons', body);
  };
  const plan = async () => call('POST', `/plans/${(await planDraft()).id}/publish`);
  const addon = async () => call('POST', `/addons/${(await addonDraft()).id}/publish`);
  const assign = (planId: string, addonId: string) =>
    call('POST', `/plans/${planId}/addons`, { name: 'A', addon: { id: addonId }, from_plan_phase: 'default' });
  const subscription = async () => {
    const [of, to, extra] = [await customer(), await planDraft(), await addon()];
    await assign(to.id, extra.id);
    await call('POST', `/plans/${to.id}/publish`);
    const started = await call('POST', '/subscriptions', { customer: { id: of.id }, plan: { id: to.id } });
    return { ...started, customer: of, addon: extra };
  };
  const taxCode = () => {
    const key = nextKey('tax');
    return call('POST', '/tax-codes', { key, name: key, app_mappings: [] });
  };
  const currency = () => {
    const code = nextKey('COIN');
    const format = { precision: 2, decimal_mark: '.', thousand_separator: ',' };
    return call('POST', '/currencies/custom', { name: 'Coins', code, ...format });
  };
  /** One that is paid outside. */
  const creditGrant = async () => {
    const { id } = await customer();
    const purchase = { currency: 'USD', per_unit_cost_basis: '1' };
    const body = { name: 'Credits', funding_method: 'external', currency: 'USD', amount: '10', purchase };
    return { ...(await call('POST', `/customers/${id}/credits/grants`, body)), customer: { id } };
  };
  const app = async (type = 'sandbox') =>
    (await call('POST', '/app-catalog/install', { type, name: 'App', create_billing_profile: false })).app;
  const profile = async (workflow: unknown = {}, appType = 'sandbox') => {
    const { id } = await app(appType);
    const apps = { tax: { id }, invoicing: { id }, payment: { id } };
    return call('POST', '/profiles', { name: 'P', supplier: { name: 'S' }, workflow, apps, default: false });
  };
  /** A draft with a fee that is due; without other settings it waits to be approved. */
  const invoice = async (invoicing: object = { auto_advance: false }, appType = 'sandbox') => {
    const of = await customer();
    const workflow = { invoicing, collection: { interval: 'PT0S' } };
    const { id } = await profile(workflow, appType);
    await call('PUT', `/customers/${of.id}/billing`, { billing_profile: { id } });
    await call('POST', `/customers/${of.id}/charges`, {
      type: 'flat_fee',
      name: 'Fee',
      currency: 'USD',
      invoice_at: NOW,
      service_period: PERIOD,
      settlement_mode: 'credit_then_invoice',
      payment_term: 'in_advance',
      proration_configuration: { mode: 'no_proration' },
      amount_before_proration: { amount: '10', currency: 'USD' },
    });
    const { data } = await call('POST', `/customers/${of.id}/invoices`, {});
    return { ...data[0], customer: of };
  };
  /** An issued one whose payment failed. */
  const unpaidInvoice = async () => {
    const { id } = await invoice(undefined, 'external_invoicing');
    await call('POST', `/billing/invoices/${id}/approve`);
    await call('POST', `/apps/external-invoicing/${id}/payment/status`, { trigger: 'payment_failed' });
    return id as string;
  };
  /** A draft whose draft period is over. */
  const ripeInvoice = async () => {
    const { id } = await invoice({ draft_period: 'PT1M' });
    backend.clock.advanceMs(120_000);
    return id as string;
  };
  /** A draft that collects usage. */
  const waitingInvoice = async () => {
    const [of, counted] = [await customer(), await feature()];
    await call('POST', `/customers/${of.id}/charges`, {
      type: 'usage_based',
      name: 'Usage',
      currency: 'USD',
      invoice_at: NOW,
      service_period: { from: '2026-11-01T00:00:00Z', to: NOW },
      settlement_mode: 'credit_then_invoice',
      feature_id: counted.id,
      price: { type: 'unit', amount: '1' },
    });
    const { data } = await call('POST', `/customers/${of.id}/invoices`, {});
    return data[0].id as string;
  };
  return {
    stripeKey,
    lastStripeKey: () => key,
    stripeApp,
    stripeCustomer,
    stripeSession,
    nextKey,
    call,
    customer,
    meter,
    feature,
    planDraft,
    addonDraft,
    plan,
    addon,
    assign,
    subscription,
    taxCode,
    currency,
    creditGrant,
    app,
    profile,
    invoice,
    waitingInvoice,
    unpaidInvoice,
    ripeInvoice,
  };
}
