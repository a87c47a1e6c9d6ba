import type { NewEvent } from '../../backend/metering/usage-store/index.ts';
import type { ClockedBackend } from './backend.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
export const START = '2026-09-01T00:00:00Z';
export const NOW = '2026-11-21T10:24:00Z';

/** Who uses the API, how much of it a day, and on which plan. */
const CUSTOMERS = [
  { name: 'Kong Air', key: 'kong-air', calls: 210, tokens: 9_000, plan: 'pro' },
  { name: 'Acme Robotics', key: 'acme-robotics', calls: 150, tokens: 22_000, plan: 'pro' },
  { name: 'Blue Harbor Logistics', key: 'blue-harbor', calls: 96, tokens: 1_500, plan: 'pro' },
  { name: 'Northwind Traders', key: 'northwind', calls: 60, tokens: 4_000, plan: 'starter' },
  { name: 'Tailspin Toys', key: 'tailspin', calls: 30, tokens: 0, plan: 'starter' },
  { name: 'Fabrikam Health', key: 'fabrikam', calls: 84, tokens: 13_000, plan: 'pro' },
] as const;
const SERVICES = ['flights', 'bookings', 'loyalty', 'weather'];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT'];

/** Where what was made stands in the console. */
export interface Seeded {
  meters: { requests: string; tokens: string };
  features: { requests: string };
  plans: { pro: string; draft: string };
  addon: string;
  customer: string;
  subscription: string;
  invoices: { issued: string; draft: string };
}

/** Eighty days of a business on top of an API gateway, told through the public API with a clock that is moved. */
export async function seed(backend: ClockedBackend): Promise<Seeded> {
  const { api } = backend;
  const requests = await api('POST', '/built-in-meters/kong_konnect_api_request/enable');
  const tokens = await api('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
  const catalog = await makeCatalog(backend, requests.id, tokens.id);
  const customers = new Map<string, { id: string; subscription: string }>();
  for (const { name, key, plan } of CUSTOMERS) {
    const customer = await api('POST', '/customers', {
      name,
      key,
      primary_email: `billing@${key}.example`,
      billing_address: { country: 'US', city: 'Springfield', postal_code: '62701', line1: '1 Main Street' },
    });
    const subscription = await api('POST', '/subscriptions', {
      customer: { id: customer.id },
      plan: { id: catalog.plans[plan] },
    });
    customers.set(key, { id: customer.id, subscription: subscription.id });
  }
  const kongAir = customers.get('kong-air') ?? { id: '', subscription: '' };
  await api('POST', `/subscriptions/${kongAir.subscription}/addons`, {
    addon: { id: catalog.addon },
    quantity: 3,
    timing: 'immediate',
  });
  for (const end of ['2026-10-01T02:00:00Z', '2026-11-01T02:00:00Z', NOW]) {
    await passTime(backend, end);
    await backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
    await backend.billingRuns.runner.work();
  }
  await lastTouches(backend, catalog);
  const { data } = await api('GET', `/billing/invoices?filter[customer_id]=${kongAir.id}&sort=created_at desc`);
  return {
    meters: { requests: requests.id, tokens: tokens.id },
    features: { requests: catalog.features.requests },
    plans: { pro: catalog.plans.pro, draft: catalog.plans.draft },
    addon: catalog.addon,
    customer: kongAir.id,
    subscription: kongAir.subscription,
    invoices: { issued: data[0].id, draft: catalog.draftInvoice },
  };
}

async function makeCatalog({ api }: ClockedBackend, requestsMeter: string, tokensMeter: string) {
  const calls = await api('POST', '/features', { name: 'API requests', key: 'requests', meter: { id: requestsMeter } });
  const llm = await api('POST', '/features', { name: 'LLM tokens', key: 'llm_tokens', meter: { id: tokensMeter } });
  const support = await api('POST', '/features', { name: 'Priority support', key: 'priority_support' });
  const tax = await api('POST', '/tax-codes', { name: 'Software as a service', key: 'saas', app_mappings: [] });
  const fee = (amount: string) => ({
    key: 'platform_fee',
    name: 'Platform fee',
    billing_cadence: 'P1M',
    payment_term: 'in_advance',
    price: { type: 'flat', amount },
    tax_config: { code: { id: tax.id } },
  });
  const usage = (feature: { id: string; key: string; name: string }, terms: Record<string, unknown>) => ({
    key: feature.key,
    name: feature.name,
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    ...terms,
  });
  const tiers = [
    { up_to_amount: '1000', unit_price: { type: 'unit', amount: '0' } },
    { up_to_amount: '5000', unit_price: { type: 'unit', amount: '0.02' } },
    { unit_price: { type: 'unit', amount: '0.01' } },
  ];
  const metered = (limit: number) => ({ entitlement: { type: 'metered', limit, is_soft_limit: false } });
  const pro = [
    fee('99'),
    usage(calls, { price: { type: 'graduated', tiers }, ...metered(10_000) }),
    usage(llm, {
      price: { type: 'unit', amount: '0.5' },
      unit_config: {
        operation: 'divide',
        conversion_factor: '1000',
        rounding: 'ceiling',
        precision: 0,
        display_unit: 'K tokens',
      },
    }),
  ];
  const starter = [fee('19'), usage(calls, { price: { type: 'unit', amount: '0.02' }, ...metered(2_500) })];
  const addon = await api('POST', '/addons', {
    name: 'Support seat',
    key: 'support_seat',
    currency: 'USD',
    instance_type: 'multiple',
    rate_cards: [
      {
        key: support.key,
        name: 'Priority support',
        feature: { id: support.id },
        billing_cadence: 'P1M',
        payment_term: 'in_advance',
        price: { type: 'flat', amount: '25' },
        entitlement: { type: 'boolean' },
      },
    ],
  });
  await api('POST', `/addons/${addon.id}/publish`);
  const plan = async (name: string, key: string, rate_cards: unknown[]) => {
    const phases = [{ key: 'default', name: 'Default', rate_cards }];
    const made = await api('POST', '/plans', { name, key, currency: 'USD', billing_cadence: 'P1M', phases });
    await api('POST', `/plans/${made.id}/addons`, {
      name: 'Support seat',
      addon: { id: addon.id },
      from_plan_phase: 'default',
      max_quantity: 10,
    });
    await api('POST', `/plans/${made.id}/publish`);
    return made.id as string;
  };
  const plans = { pro: await plan('Pro', 'pro', pro), starter: await plan('Starter', 'starter', starter), draft: '' };
  return {
    plans,
    addon: addon.id as string,
    features: { requests: calls.id as string },
    tax: tax.id as string,
    draftInvoice: '',
  };
}

/** Usage up to an instant, an hour at a time; the clock follows. */
async function passTime(backend: ClockedBackend, end: string): Promise<void> {
  const beginMs = backend.nowMs();
  backend.setNow(end);
  const events: NewEvent[] = [];
  for (let hourMs = beginMs; hourMs < backend.nowMs(); hourMs += HOUR_MS) {
    for (const customer of CUSTOMERS) events.push(...hourOf(customer, hourMs, backend.nowMs()));
  }
  for (let from = 0; from < events.length; from += 5_000) await backend.usage.append(events.slice(from, from + 5_000));
}

/** More by day than by night, less on Sundays, and a little more each week. */
function hourOf(customer: (typeof CUSTOMERS)[number], hourMs: number, ingestedAtMs: number): NewEvent[] {
  const hour = (hourMs / HOUR_MS) % 24;
  const day = Math.floor(hourMs / DAY_MS);
  const growth = 1 + (hourMs - Date.parse(START)) / (160 * DAY_MS);
  const busy = (hour > 6 && hour < 21 ? 1.5 : 0.4) * (day % 7 === 3 ? 0.5 : 1) * growth;
  const random = randomOf(`${customer.key} ${hourMs}`);
  const count = Math.round((customer.calls / 24) * busy * (0.7 + random() * 0.6));
  const events = Array.from({ length: count }, (_, index) => {
    const service = SERVICES[Math.floor(random() ** 2 * SERVICES.length)] ?? '';
    const data = {
      service_name: service,
      route_name: `${service}-v1`,
      request_method: METHODS[Math.floor(random() * METHODS.length)],
      response_http_status: random() < 0.02 ? 502 : 200,
    };
    const timeMs = hourMs + Math.floor(random() * HOUR_MS);
    const base = { source: 'kong-gateway', subject: customer.key, ingestedAtMs };
    return {
      ...base,
      id: `${customer.key}-${hourMs}-${index}`,
      type: 'kong.api_request',
      timeMs,
      data: JSON.stringify(data),
    };
  });
  if (customer.tokens > 0) {
    const data = {
      provider: 'openai',
      model: 'gpt-4o-mini',
      type: 'request',
      tokens: Math.round((customer.tokens / 24) * busy),
    };
    events.push({
      source: 'kong-gateway',
      subject: customer.key,
      ingestedAtMs,
      id: `${customer.key}-${hourMs}-tokens:request`,
      type: 'kong.llm_request',
      timeMs: hourMs + 60_000,
      data: JSON.stringify(data),
    });
  }
  return events.filter((event) => event.timeMs < ingestedAtMs);
}

/** What makes the lists worth looking at: a draft, a subject without a customer, gateway nodes, one of them with a gap. */
async function lastTouches(
  { api }: ClockedBackend,
  catalog: { plans: { pro: string; draft: string }; draftInvoice: string },
): Promise<void> {
  const draft = await api('POST', `/plans/${catalog.plans.pro}/next`);
  catalog.plans.draft = draft.id;
  const event = (id: string, subject: string) => ({
    id,
    source: 'kong-gateway',
    type: 'kong.api_request',
    subject,
    time: '2026-11-21T10:20:00Z',
    data: { service_name: 'flights', route_name: 'flights-v1', request_method: 'GET', response_http_status: 200 },
  });
  const requests = (served: number, metered: number, reasons: string, unexplained: number) => ({
    'Metering-Account': `0mx2zsxj5-7f7c3a6569cba4${served % 90} 17`,
    'Metering-Requests-Served': String(served),
    'Metering-Requests-Metered': String(metered),
    'Metering-Requests-Not-Metered': reasons,
    'Metering-Requests-Unexplained': String(unexplained),
  });
  for (const [node, sequence, taken, served] of [
    ['gateway-eu-1', '1-40', '40', requests(48_210, 47_903, 'no_subject=291,status_not_allowed=16', 0)],
    ['gateway-us-1', '1-12,15-31', '31', requests(36_544, 36_190, 'no_subject=212', 138)],
  ] as const) {
    const events = [event(`${node}-1`, 'new-partner'), event(`${node}-2`, 'kong-air')];
    await api('POST', '/events', events, {
      'Metering-Node': node,
      'Metering-Process': `01KA${node === 'gateway-eu-1' ? 'A' : 'B'}0000000000000000000`,
      'Metering-Sequence': sequence,
      'Metering-Taken': taken,
      ...served,
    });
  }
  const { data } = await api('GET', '/billing/invoices?filter[status]=draft');
  catalog.draftInvoice = data[0]?.id ?? '';
}

/** The same numbers for the same name, every time. */
function randomOf(name: string): () => number {
  let state = 2166136261;
  for (const char of name) state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
