import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';

/** The tutorials for Metering & Billing, by API, from the first command to the preview of the invoice. */
let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and each was held against the contract
type Json = any;

async function ok(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await backend.request(method, path, body === undefined ? {} : { body });
  expect({ path, problem: answer.status < 300 ? '' : answer.text }).toEqual({ path, problem: '' });
  return answer.json;
}

async function subscribe(planKey: string, card: Json, customer: Json): Promise<Json> {
  const phases = [{ key: 'default', name: 'Default', rate_cards: [{ billing_cadence: 'P1M', ...card }] }];
  const body = { key: planKey, name: planKey, currency: 'USD', billing_cadence: 'P1M', phases };
  const draft = await ok('POST', '/plans', body);
  await ok('POST', `/plans/${draft.id}/publish`);
  const { id } = await ok('POST', '/customers', customer);
  await ok('POST', '/subscriptions', { customer: { id }, plan: { key: planKey } });
  return ok('GET', `/customers/${id}`);
}

const event = (id: string, type: string, subject: string, time: string, data: Json) => ({
  specversion: '1.0',
  id,
  source: 'kong-gateway',
  type,
  subject,
  time,
  data,
});
const preview = (customer: Json) => ok('GET', `/customers/${customer.id}/invoice-preview`);
const NOW = '2026-11-21T12:00:00Z';

test('API requests: example-service was used six times, a dollar for the first package of 5,000', async () => {
  const meter = await ok('POST', '/built-in-meters/kong_konnect_api_request/enable');
  const feature = await ok('POST', '/features', {
    key: 'example_service',
    name: 'example-service',
    meter: { id: meter.id, filters: { service_name: { eq: 'example-service' } } },
  });
  const call = (id: string, time: string, service = 'example-service') =>
    event(id, 'kong.api_request', 'kong-air', time, { service_name: service, status_code: '200' });
  await ok('POST', '/events', [call('before', '2026-11-21T11:59:59Z')]);
  const customer = await subscribe(
    'premium',
    {
      key: 'example_service',
      name: 'example-service',
      feature: { id: feature.id },
      price: { type: 'unit', amount: '1' },
      unit_config: { operation: 'divide', conversion_factor: '5000', rounding: 'ceiling' },
    },
    { key: 'kong_air', name: 'Kong Air', usage_attribution: { subject_keys: ['kong-air'] } },
  );
  await ok(
    'POST',
    '/events',
    [1, 2, 3, 4, 5, 6].map((index) => call(`r${index}`, NOW)),
  );
  await ok('POST', '/events', [call('other', NOW, 'another-service')]);
  const invoice = await preview(customer);
  expect(invoice).toMatchObject({
    status: 'draft',
    customer: { name: 'Kong Air' },
    service_period: { from: NOW, to: '2026-12-21T12:00:00Z' },
    totals: { amount: '1', total: '1' },
  });
  expect(invoice.lines).toHaveLength(1);
  expect(invoice.lines[0]).toMatchObject({
    name: 'example-service',
    rate_card: { feature_key: 'example_service' },
    usage_quantity_detail: { raw_quantity: '6', invoiced_quantity: '1' },
    detailed_lines: [{ quantity: '1', unit_price: '1' }],
  });
});

test('LLM tokens: ai-token with its token count', async () => {
  const meter = await ok('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
  const feature = await ok('POST', '/features', { key: 'ai_token', name: 'ai-token', meter: { id: meter.id } });
  const customer = await subscribe(
    'ai_premium',
    { key: 'ai_token', name: 'ai-token', feature: { id: feature.id }, price: { type: 'unit', amount: '1' } },
    { key: 'kong_air2', name: 'Kong Air', usage_attribution: { subject_keys: ['kong-air2'] } },
  );
  const data = (type: string, tokens: number) => ({ type, tokens, provider: 'openai', model: 'gpt-4' });
  await ok('POST', '/events', [
    event('chat:request', 'kong.llm_request', 'kong-air2', NOW, data('request', 13)),
    event('chat:response', 'kong.llm_request', 'kong-air2', NOW, data('response', 5)),
  ]);
  const invoice = await preview(customer);
  expect(invoice.lines).toMatchObject([
    { name: 'ai-token', detailed_lines: [{ quantity: '18', unit_price: '1' }], totals: { total: '18' } },
  ]);
});

test('agent runs: three of them, one was before the subscription', async () => {
  const meter = await ok('POST', '/meters', {
    key: 'agent_runs_total',
    name: 'Count agent runs',
    event_type: 'agent_run',
    aggregation: 'count',
    dimensions: { agent_name: '$.agent_name' },
  });
  const feature = await ok('POST', '/features', { key: 'agent_runs', name: 'Agent Runs', meter: { id: meter.id } });
  const run = (id: string, time: string, agent_name: string) =>
    event(id, 'agent_run', 'acme-inc', time, { agent_name });
  await ok('POST', '/events', [run('early', '2026-11-21T11:59:59Z', 'summarizer')]);
  const customer = await subscribe(
    'premium_plan',
    {
      key: 'agent_runs',
      name: 'agent-runs',
      feature: { id: feature.id },
      price: { type: 'unit', amount: '1' },
      entitlement: { type: 'boolean' },
    },
    { key: 'acme-inc', name: 'Acme Inc.' },
  );
  for (const [id, agent] of [
    ['8655CDD7', 'summarizer'],
    ['3EC7EFD0', 'summarizer'],
    ['48FC220C', 'translator'],
  ] as const) {
    await ok('POST', '/events', run(id, NOW, agent));
  }
  const invoice = await preview(customer);
  expect(invoice.lines).toMatchObject([{ name: 'agent-runs', detailed_lines: [{ quantity: '3', unit_price: '1' }] }]);
  expect(invoice.totals.total).toBe('3');
});

test('requests by consumer: alice has three events, and, as a customer without a plan, nothing to pay', async () => {
  for (const id of ['a1', 'a2', 'a3']) await ok('POST', '/events', event(id, 'kong.api_request', 'alice', NOW, {}));
  const { data } = await ok('GET', '/events?filter[subject]=alice');
  expect(data).toHaveLength(3);
  expect(data[0].validation_errors[0].message).toBe('no customer found for event subject: alice');
  const alice = await ok('POST', '/customers', { key: 'alice', name: 'Alice', currency: 'EUR' });
  expect(await preview(alice)).toMatchObject({ currency: 'EUR', lines: [], totals: { total: '0' } });
});
