import { type Hints, OMIT } from './instances.ts';
import type { Json, JsonObject } from './schema.ts';
import { NOW, PERIOD, type World } from './world.ts';

/** What one request to an operation needs that no schema can know. */
export interface Preparation {
  /** Of the path. */
  params?: Record<string, string>;
  hints?: Hints;
  /** Takes out of a body what its other fields exclude, which no schema of the contract says. */
  settle?(body: JsonObject): void;
  /** Where it is not 2xx. */
  status?: number;
}

type Prepare = (world: World, variant: string) => Promise<Preparation>;

const LATER = '2027-01-21T12:00:00Z';

/** Where a rate card's price forbids it, the rest of the card follows. */
function settleRateCard(card: JsonObject): void {
  const price = card['price'] as JsonObject | undefined;
  if (price === undefined) return;
  const isUsage = !['flat', 'free'].includes(String(price?.['type']));
  if (isUsage) return;
  for (const field of ['unit_config', 'commitments']) delete card[field];
  if (price?.['type'] === 'free') delete card['discounts'];
  else delete (card['discounts'] as JsonObject | undefined)?.['usage'];
}

const settleRateCards = (cards: Json | undefined) => {
  for (const card of (cards ?? []) as JsonObject[]) settleRateCard(card);
};

const TIERS: Json = [
  { up_to_amount: '10', flat_price: { type: 'flat', amount: '1' }, unit_price: { type: 'unit', amount: '2' } },
  { unit_price: { type: 'unit', amount: '1' } },
];

/** One filter of each kind, on what meters here have. */
const DIMENSIONS: Hints = {
  'MeterQueryFilters.dimensions': {
    model: { or: [{ eq: 'a' }, { in: ['b'] }, { nin: ['c'] }] },
    key0: { exists: true, neq: 'a', contains: 'b', ncontains: 'c', and: [{ neq: 'd' }] },
  },
};

/** A rate card for a feature that is counted. */
async function cardHints(world: World, path: string): Promise<Hints> {
  const [feature, tax] = [await world.feature(), await world.taxCode()];
  return {
    [`${path}.key`]: feature.key,
    'FeatureReference.id': feature.id,
    'TaxCodeReference.id': tax.id,
    [`${path}.billing_cadence`]: 'P1M',
    // Another currency than the plan's asks for a custom one with a rate of exchange.
    [`${path}.currency`]: OMIT,
    'BillingPriceGraduated.tiers': TIERS,
    'BillingPriceVolume.tiers': TIERS,
    'BillingSpendCommitments.minimum_amount': '5',
    'BillingSpendCommitments.maximum_amount': '50',
    'BillingRateCard.payment_term': 'in_arrears',
  };
}

async function planHints(world: World): Promise<Hints> {
  return {
    ...(await cardHints(world, 'phases.rate_cards')),
    'CreatePlanRequest.key': world.nextKey('made'),
    'CreatePlanRequest.currency': 'USD',
    'CreatePlanRequest.billing_cadence': 'P1M',
    'UpsertPlanRequest.key': world.nextKey('made'),
    'BillingPlanPhase.duration': OMIT,
  };
}

const settlePlan = (body: JsonObject) => {
  for (const phase of body['phases'] as JsonObject[]) settleRateCards(phase['rate_cards']);
};
const settleAddon = (body: JsonObject) => settleRateCards(body['rate_cards']);

const settleUnitCost = (body: JsonObject) => {
  const cost = body['unit_cost'] as JsonObject | undefined;
  if (cost?.['type'] !== 'llm') return;
  for (const name of ['provider', 'model', 'token_type']) delete cost[`${name}_property`];
};

const meterHints = (world: World): Hints => ({
  'CreateMeterRequest.key': world.nextKey('made'),
  'CreateMeterRequest.aggregation': 'count',
  'CreateMeterRequest.value_property': OMIT,
  'CreateMeterRequest.events_from': NOW,
  'CreateMeterRequest.dimensions': { model: '$.model' },
  'UpdateMeterRequest.dimensions': { model: '$.model' },
});

async function profileHints(world: World): Promise<Hints> {
  const id = (await world.app()).id;
  return {
    'BillingAppReference.id': id,
    'BillingWorkflowTaxSettings.default_tax_config': { behavior: 'inclusive' },
    'BillingWorkflowTaxSettings.enabled': true,
  };
}

async function chargeHints(world: World): Promise<Hints> {
  const [feature, tax] = [await world.feature(), await world.taxCode()];
  return {
    ClosedPeriod: PERIOD,
    currency: 'USD',
    'CurrencyAmount.currency': 'USD',
    invoice_at: PERIOD.to,
    feature_id: feature.id,
    'TaxCodeReference.id': tax.id,
    // No longer in use, says the contract.
    'BillingTaxConfig.stripe': OMIT,
    'BillingTaxConfig.external_invoicing': OMIT,
    'BillingTaxConfig.tax_code_id': OMIT,
    'BillingPriceGraduated.tiers': TIERS,
    'BillingPriceVolume.tiers': TIERS,
    unique_reference_id: world.nextKey('reference'),
  };
}

async function subscriptionHints(world: World): Promise<Hints> {
  const [customer, plan] = [await world.customer(), await world.plan()];
  return {
    customer: { id: customer.id },
    plan: { id: plan.id },
    settlement_mode: OMIT,
    billing_anchor: NOW,
  };
}

/** An instant is one at which a billing period ends. */
const timingHints = (subscription: { current_period: { to: string } }, variant: string): Hints =>
  variant === 'timing=DateTime' ? { timing: subscription.current_period.to } : {};

/** A code of four characters and more is one of a custom currency, which has to be there. */
const creditHints = async (world: World, variant: string): Promise<Hints> =>
  variant.startsWith('currency=') ? { currency: (await world.currency()).code } : {};

const settleGrant = (body: JsonObject) => {
  if (body['funding_method'] === 'none') delete body['purchase'];
};

const customerHints = (world: World): Hints => ({
  'CreateCustomerRequest.key': world.nextKey('made'),
  'BillingCustomerUsageAttribution.subject_keys': [world.nextKey('subject')],
});

/** Each way of showing the page has addresses of its own. */
const settleCheckout = (body: JsonObject) => {
  const options = body['stripe_options'] as JsonObject;
  if (options['ui_mode'] === 'embedded') {
    for (const field of ['success_url', 'cancel_url']) delete options[field];
    options['return_url'] = 'https://example.com/back';
  } else options['success_url'] = 'https://example.com/done';
};

/** The first branch, which "full" and others take. */
const isStripe = (variant: string) => !variant.startsWith('=');

/** By operation id; an operation without an entry takes what the schema and `paramsOf` give. */
export const PREPARATIONS: Record<string, Prepare> = {
  'create-addon': async (world) => ({
    hints: {
      ...(await cardHints(world, 'rate_cards')),
      'CreateAddonRequest.key': world.nextKey('made'),
      'CreateAddonRequest.currency': 'USD',
    },
    settle: settleAddon,
  }),
  'update-addon': async (world) => ({
    params: { addonId: (await world.addonDraft()).id },
    hints: await cardHints(world, 'rate_cards'),
    settle: settleAddon,
  }),
  'delete-addon': async (world) => ({ params: { addonId: (await world.addonDraft()).id } }),
  'publish-addon': async (world) => ({ params: { addonId: (await world.addonDraft()).id } }),
  'archive-addon': async (world) => ({ params: { addonId: (await world.addon()).id } }),
  'install-app': async (world, variant) => (isStripe(variant) ? { hints: { api_key: world.stripeKey() } } : {}),
  'update-app': async (world, variant) =>
    isStripe(variant)
      ? { params: { appId: (await world.stripeApp()).id }, hints: { secret_api_key: world.lastStripeKey() } }
      : { params: { appId: (await world.app(variant.slice(1))).id } },
  'uninstall-app': async (world) => ({ params: { appId: (await world.app()).id } }),
  'advance-invoice': async (world) => ({ params: { invoiceId: await world.ripeInvoice() } }),
  'approve-invoice': async (world) => ({ params: { invoiceId: (await world.invoice()).id } }),
  'delete-invoice': async (world) => ({ params: { invoiceId: (await world.invoice()).id } }),
  'retry-invoice': async (world) => ({ params: { invoiceId: await world.unpaidInvoice() } }),
  'snapshot-quantities-invoice': async (world) => ({ params: { invoiceId: await world.waitingInvoice() } }),
  'update-invoice': async (world) => {
    const invoice = await world.invoice();
    return {
      params: { invoiceId: invoice.id },
      hints: {
        'UpdateInvoiceCustomer.id': invoice.customer.id,
        'UpdateInvoiceStandardLine.id': invoice.lines[0].id,
        'UpdateInvoiceLineRateCard.feature_key': OMIT,
        'UpdateInvoiceLineRateCard.discounts': OMIT,
        'UpdateInvoiceLineRateCard.price': { type: 'flat', amount: '5' },
        UpdateClosedPeriod: PERIOD,
        UpdateResourceReference: { id: (await world.taxCode()).id },
      },
    };
  },
  'create-custom-currency': async (world) => ({
    hints: {
      'CreateCurrencyCustomRequest.code': world.nextKey('MADE'),
      'CreateCurrencyCustomRequest.decimal_mark': '.',
      'CreateCurrencyCustomRequest.thousand_separator': ',',
      'CreateCurrencyCustomRequest.symbol': '¤',
    },
  }),
  'create-cost-basis': async () => ({ hints: { fiat_code: 'USD', effective_from: LATER, effective_to: OMIT } }),
  'create-customer': async (world) => ({ hints: customerHints(world) }),
  'upsert-customer': async (world) => ({ hints: customerHints(world) }),
  'update-customer-billing': async (world) => ({
    hints: { 'BillingProfileReference.id': (await world.profile()).id, 'BillingAppCustomerData.stripe': OMIT },
  }),
  'update-customer-billing-app-data': async () => ({ hints: { stripe: OMIT } }),
  'create-customer-stripe-checkout-session': async (world) => ({
    params: { customerId: (await world.stripeCustomer()).id },
    hints: { 'BillingAppStripeCreateCheckoutSessionRequestOptions.currency': 'USD' },
    settle: settleCheckout,
  }),
  'create-customer-stripe-portal-session': async (world) => {
    const { id } = await world.stripeCustomer();
    await world.stripeSession(id);
    return { params: { customerId: id } };
  },
  'create-customer-charges': async (world) => ({ hints: await chargeHints(world), settle: settleRateCard }),
  'update-organization-default-tax-codes': async (world) => ({
    hints: { 'TaxCodeReference.id': (await world.taxCode()).id },
  }),
  'ingest-metering-events': async (world) => ({
    hints: { 'MeteringEvent.id': world.nextKey('event'), 'MeteringEvent.specversion': '1.0' },
  }),
  'create-credit-grant': async (world, variant) => ({
    hints: {
      ...(await creditHints(world, variant)),
      key: world.nextKey('key'),
      'tax_config.tax_code.id': (await world.taxCode()).id,
      'CreateCreditGrantFilters.features': [(await world.feature()).key],
    },
    settle: settleGrant,
  }),
  'create-credit-adjustment': async (world, variant) => ({ hints: await creditHints(world, variant) }),
  'create-feature': async (world) => ({
    hints: {
      'CreateFeatureRequest.key': world.nextKey('made'),
      'FeatureMeterReference.id': (await world.meter()).id,
      'FeatureMeterReference.filters': { model: { eq: 'gpt' } },
    },
    settle: settleUnitCost,
  }),
  'update-feature': async () => ({ settle: settleUnitCost }),
  'create-meter': async (world) => ({ hints: meterHints(world) }),
  'update-meter': async (world) => ({ hints: meterHints(world) }),
  'query-meter': async () => ({
    hints: {
      from: '2026-11-01T00:00:00Z',
      to: NOW,
      time_zone: 'Europe/Berlin',
      group_by_dimensions: ['model'],
      ...DIMENSIONS,
    },
  }),
  'create-plan': async (world) => ({ hints: await planHints(world), settle: settlePlan }),
  'update-plan': async (world) => ({
    params: { planId: (await world.planDraft()).id },
    hints: await planHints(world),
    settle: settlePlan,
  }),
  'delete-plan': async (world) => ({ params: { planId: (await world.planDraft()).id } }),
  'publish-plan': async (world) => ({ params: { planId: (await world.planDraft()).id } }),
  'archive-plan': async (world) => ({ params: { planId: (await world.plan()).id } }),
  'update-plan-addon': async () => ({ hints: { from_plan_phase: 'default' } }),
  'create-plan-addon': async (world) => ({
    params: { planId: (await world.planDraft()).id },
    hints: { 'AddonReference.id': (await world.addon()).id },
  }),
  'create-billing-profile': async (world) => ({ hints: await profileHints(world) }),
  'update-billing-profile': async (world) => ({ hints: await profileHints(world) }),
  'create-subscription': async (world) => ({ hints: await subscriptionHints(world) }),
  'change-subscription': async (world, variant) => {
    const subscription = await world.subscription();
    return {
      params: { subscriptionId: subscription.id },
      hints: {
        ...(await subscriptionHints(world)),
        ...timingHints(subscription, variant),
        customer: { id: subscription.customer.id },
      },
    };
  },
  'create-subscription-addon': async (world) => {
    const subscription = await world.subscription();
    return {
      params: { subscriptionId: subscription.id },
      hints: { 'AddonReference.id': subscription.addon.id },
    };
  },
  'cancel-subscription': async (world, variant) => {
    const subscription = await world.subscription();
    return { params: { subscriptionId: subscription.id }, hints: timingHints(subscription, variant) };
  },
  'unschedule-cancelation': async (world) => {
    const { id } = await world.subscription();
    await world.call('POST', `/subscriptions/${id}/cancel`, { timing: 'next_billing_cycle' });
    return { params: { subscriptionId: id } };
  },
  'create-tax-code': async (world) => ({ hints: { 'CreateTaxCodeRequest.key': world.nextKey('made') } }),
};

/** Something that exists, for each parameter of a path. Operations that change it have it made anew. */
export async function paramsOf(world: World, names: readonly string[]): Promise<Record<string, string>> {
  const makers: Record<string, () => Promise<{ id: string }>> = {
    addonId: world.addon,
    appId: world.app,
    currencyId: world.currency,
    customerId: world.customer,
    featureId: world.feature,
    id: world.profile,
    invoiceId: world.invoice,
    meterId: world.meter,
    planId: world.plan,
    subscriptionId: world.subscription,
    taxCodeId: world.taxCode,
  };
  if (names.includes('appType')) return { appType: 'sandbox' };
  if (names.includes('planAddonId')) {
    const plan = await world.planDraft();
    return { planId: plan.id, planAddonId: (await world.assign(plan.id, (await world.addon()).id)).id };
  }
  if (names.includes('subscriptionAddonId')) {
    const { id, addon } = await world.subscription();
    const body = { addon: { id: addon.id }, quantity: 1, timing: 'immediate' };
    const bought = await world.call('POST', `/subscriptions/${id}/addons`, body);
    return { subscriptionId: id, subscriptionAddonId: bought.id };
  }
  if (names.includes('creditGrantId')) {
    const grant = await world.creditGrant();
    return { customerId: grant.customer.id, creditGrantId: grant.id };
  }
  const params: Record<string, string> = {};
  for (const name of names) {
    const make = makers[name];
    if (make === undefined) throw new Error(`nothing is made for the path parameter ${name}`);
    params[name] = (await make()).id;
  }
  return params;
}
