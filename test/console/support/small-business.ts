import type { ConsoleBackend } from './console-backend.ts';

/** Ids of what was made, to open pages by. */
export interface Made {
  meter: string;
  feature: string;
  plan: string;
  addon: string;
  customer: string;
  profile: string;
}

/** One of each: a meter, a feature, a plan, a draft add-on, a customer that subscribes, an event of it and one of nobody. */
export async function makeSmallBusiness({ api }: ConsoleBackend): Promise<Made> {
  const meter = await api('POST', '/built-in-meters/kong_konnect_api_request/enable');
  const feature = await api('POST', '/features', {
    name: 'Requests',
    key: 'requests',
    meter: { id: meter.id },
  });
  const rate_cards = [
    {
      key: 'requests',
      name: 'Requests',
      feature: { id: feature.id },
      billing_cadence: 'P1M',
      price: { type: 'unit', amount: '0.5' },
      entitlement: { type: 'metered', limit: 100, is_soft_limit: false },
    },
  ];
  const plan = await api('POST', '/plans', {
    name: 'Pro',
    key: 'pro',
    currency: 'USD',
    billing_cadence: 'P1M',
    phases: [{ key: 'default', name: 'Default', rate_cards }],
  });
  await api('POST', `/plans/${plan.id}/publish`);
  const addon = await api('POST', '/addons', {
    name: 'Seat',
    key: 'seat',
    currency: 'USD',
    instance_type: 'single',
    rate_cards: [],
  });
  const customer = await api('POST', '/customers', { name: 'Alice', key: 'alice' });
  await api('POST', '/subscriptions', { customer: { id: customer.id }, plan: { id: plan.id } });
  const time = new Date().toISOString();
  const events = ['alice', 'bob'].map((subject) => ({
    id: `page-${subject}`,
    source: 'kong-gateway',
    type: 'kong.api_request',
    subject,
    time,
    data: { route_name: 'orders', request_method: 'GET' },
  }));
  await api('POST', '/events', events);
  const profiles = await api('GET', '/profiles');
  return {
    meter: meter.id,
    feature: feature.id,
    plan: plan.id,
    addon: addon.id,
    customer: customer.id,
    profile: profiles.data[0].id,
  };
}
