import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';
import { callsOf, phase } from '../../support/catalog/plans.ts';
import { priceAgentRuns, priceApiRequests, priceLlmTokens } from '../support/tutorial-catalog.ts';

/** The tutorials for Metering & Billing, by API, from the first command to the preview of the invoice. */
let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
});
afterAll(() => backend.close());

/** @returns the customer, who subscribes to a plan with this one card */
async function subscribe(planKey: string, card: Json, customer: Json): Promise<Json> {
  await calls.publishPlan(planKey, { phases: [phase([card])] });
  const { id } = await calls.ok('POST', '/customers', customer);
  await calls.ok('POST', '/subscriptions', { customer: { id }, plan: { key: planKey } });
  return calls.ok('GET', `/customers/${id}`);
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
const send = async (events: Json) => expect((await calls.call('POST', '/events', events)).status).toBe(202);
const preview = (customer: Json) => calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
const NOW = '2026-11-21T12:00:00Z';

test('API requests: example-service was used six times, a dollar for the first package of 5,000', async () => {
  const { card } = await priceApiRequests(calls.ok);
  const call = (id: string, time: string, service = 'example-service') =>
    event(id, 'kong.api_request', 'kong-air', time, { service_name: service, status_code: '200' });
  await send([call('before', '2026-11-21T11:59:59Z')]);
  const attribution = { usage_attribution: { subject_keys: ['kong-air'] } };
  const customer = await subscribe('premium', card, { key: 'kong_air', name: 'Kong Air', ...attribution });
  await send([1, 2, 3, 4, 5, 6].map((index) => call(`r${index}`, NOW)));
  await send([call('other', NOW, 'another-service')]);
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
  const { card } = await priceLlmTokens(calls.ok);
  const dollarEach = { ...card, price: { type: 'unit', amount: '1' }, entitlement: undefined };
  const attribution = { usage_attribution: { subject_keys: ['kong-air2'] } };
  const customer = await subscribe('ai_premium', dollarEach, { key: 'kong_air2', name: 'Kong Air', ...attribution });
  const data = (type: string, tokens: number) => ({ type, tokens, provider: 'openai', model: 'gpt-4' });
  await send([
    event('chat:request', 'kong.llm_request', 'kong-air2', NOW, data('request', 13)),
    event('chat:response', 'kong.llm_request', 'kong-air2', NOW, data('response', 5)),
  ]);
  const invoice = await preview(customer);
  expect(invoice.lines).toMatchObject([
    { name: 'ai-token', detailed_lines: [{ quantity: '18', unit_price: '1' }], totals: { total: '18' } },
  ]);
});

test('agent runs: three of them, one was before the subscription', async () => {
  const { card } = await priceAgentRuns(calls.ok);
  const run = (id: string, time: string, agent_name: string) =>
    event(id, 'agent_run', 'acme-inc', time, { agent_name });
  await send([run('early', '2026-11-21T11:59:59Z', 'summarizer')]);
  const customer = await subscribe('premium_plan', card, { key: 'acme-inc', name: 'Acme Inc.' });
  for (const [id, agent] of [
    ['8655CDD7', 'summarizer'],
    ['3EC7EFD0', 'summarizer'],
    ['48FC220C', 'translator'],
  ] as const) {
    await send(run(id, NOW, agent));
  }
  const invoice = await preview(customer);
  expect(invoice.lines).toMatchObject([{ name: 'Agent Runs', detailed_lines: [{ quantity: '3', unit_price: '1' }] }]);
  expect(invoice.totals.total).toBe('3');
});

test('requests by consumer: alice has three events, and, as a customer without a plan, nothing to pay', async () => {
  for (const id of ['a1', 'a2', 'a3']) await send(event(id, 'kong.api_request', 'alice', NOW, {}));
  const { data } = await calls.ok('GET', '/events?filter[subject]=alice');
  expect(data).toHaveLength(3);
  expect(data[0].validation_errors[0].message).toBe('no customer found for event subject: alice');
  const alice = await calls.ok('POST', '/customers', { key: 'alice', name: 'Alice', currency: 'EUR' });
  expect(await preview(alice)).toMatchObject({ currency: 'EUR', lines: [], totals: { total: '0' } });
});
