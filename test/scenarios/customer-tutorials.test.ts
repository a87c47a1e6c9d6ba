import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { createTestBackend, type TestBackend } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { priceAgentRuns, priceApiRequests, priceLlmTokens } from './support/tutorial-catalog.ts';

/** The customers and subscriptions of the tutorials for Metering & Billing, by API, with the values that they give. */
const NOW = '2026-11-21T12:00:00Z';
let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend({ start: NOW });
  calls = callsOf(backend);
});
afterAll(() => backend.close());

async function send(type: string, subject: string, times: readonly string[], data: Json): Promise<void> {
  const body = times.map((time, index) => ({
    specversion: '1.0',
    id: `${type}-${subject}-${time}-${index}`,
    source: 'kong-gateway',
    type,
    subject,
    time,
    data,
  }));
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  expect((await backend.request('POST', '/events', { rawBody: JSON.stringify(body), headers })).status).toBe(202);
}

async function usageOf(meterId: string, customerId: string): Promise<string> {
  const { json } = await backend.request('POST', `/meters/${meterId}/query`, {
    body: {
      from: '2026-11-01T00:00:00Z',
      to: '2026-12-01T00:00:00Z',
      filters: { dimensions: { customer_id: { in: [customerId] } } },
    },
  });
  return json.data[0]?.value ?? '0';
}

const REQUEST = { service_name: 'example-service', response_http_status: 200 };
const sixTimes = (time: string) => Array<string>(6).fill(time);

describe('API requests', () => {
  test('Kong Air, whose usage comes from the consumer kong-air, on Premium: six requests are its own', async () => {
    const { meter, card } = await priceApiRequests(calls.ok);
    await calls.publishPlan('premium', { name: 'Premium', phases: [phase([card])] });
    await send('kong.api_request', 'kong-air', ['2026-11-20T08:00:00Z'], REQUEST);
    const sources = await calls.ok('GET', '/usage-sources?search=kong');
    expect(sources.data).toMatchObject([{ subject: 'kong-air', events: 1 }]);
    const customer = await calls.ok('POST', '/customers', {
      key: 'kong_air',
      name: 'Kong Air',
      usage_attribution: { subject_keys: [sources.data[0].subject] },
    });
    const subscription = await calls.ok('POST', '/subscriptions', {
      customer: { id: customer.id },
      plan: { key: 'premium' },
    });
    expect(subscription).toMatchObject({
      status: 'active',
      plan: { key: 'premium', version: 1 },
      active_from: NOW,
      current_period: { from: NOW, to: '2026-12-21T12:00:00Z' },
    });
    await send('kong.api_request', 'kong-air', sixTimes('2026-11-21T12:05:00Z'), REQUEST);
    // With the one from before the customer existed: it is the customer's usage, but before its subscription.
    expect(await usageOf(meter.id, customer.id)).toBe('7');
    expect(await calls.ok('GET', `/customers?filter[plan_key]=premium`)).toMatchObject({
      data: [{ name: 'Kong Air' }],
    });
  });

  test('“Want to delete a customer? Cancel their subscription first”', async () => {
    const { data } = await calls.ok('GET', '/customers?filter[key]=kong_air');
    const [customer] = data;
    expect((await calls.call('DELETE', `/customers/${customer.id}`)).status).toBe(412);
    const open = await calls.ok('GET', `/subscriptions?filter[customer_id]=${customer.id}&filter[status]=active`);
    const canceled = await calls.call('POST', `/subscriptions/${open.data[0].id}/cancel`, {});
    expect(canceled).toMatchObject({ status: 200, json: { status: 'inactive' } });
    expect((await calls.call('DELETE', `/customers/${customer.id}`)).status).toBe(204);
  });
});

test('LLM tokens: Kong Air on Token', async () => {
  const { meter, card } = await priceLlmTokens(calls.ok);
  const plan = await calls.publishPlan('token', { name: 'Token', phases: [phase([card])] });
  const attribution = { usage_attribution: { subject_keys: ['kong-air-ai'] } };
  const customer = await calls.ok('POST', '/customers', { key: 'kong_air_ai', name: 'Kong Air', ...attribution });
  const body = { customer: { key: 'kong_air_ai' }, plan: { id: plan.id } };
  const subscription = await calls.ok('POST', '/subscriptions', body);
  expect(subscription.phases[0].items[0].rate_card).toMatchObject({
    price: { type: 'unit', amount: '0.00002' },
    entitlement: { type: 'boolean' },
  });
  await send('kong.llm_request', 'kong-air-ai', ['2026-11-21T12:06:00Z'], { tokens: 120, type: 'response' });
  expect(await usageOf(meter.id, customer.id)).toBe('120');
});

test('requests by consumer: usage without a customer is listed as such, and one call makes it a customer’s', async () => {
  await send('kong.api_request', 'consumer', sixTimes('2026-11-21T12:07:00Z'), REQUEST);
  const events = await calls.ok('GET', '/events?filter[subject]=consumer');
  expect(events.data[0].validation_errors.map(({ message }: Json) => message)).toContain(
    'no customer found for event subject: consumer',
  );
  const { data } = await calls.ok('GET', '/unattributed-subjects?prefix=consumer');
  expect(data).toMatchObject([{ subject: 'consumer', events: 6, last_seen_at: '2026-11-21T12:07:00Z' }]);
  const customer = await calls.ok('POST', '/unattributed-subjects/attribute', {
    subject: 'consumer',
    create_customer: { name: 'A consumer' },
  });
  const after = await calls.ok('GET', '/events?filter[subject]=consumer');
  expect(after.data[0]).toMatchObject({ customer: { id: customer.id } });
  expect(after.data[0].validation_errors ?? []).toEqual([]);
});

test('agent runs: Acme Inc, key acme-inc, on Premium Plan', async () => {
  const { meter, card } = await priceAgentRuns(calls.ok);
  const plan = await calls.publishPlan('premium_plan', { name: 'Premium Plan', phases: [phase([card])] });
  const customer = await calls.ok('POST', '/customers', { key: 'acme-inc', name: 'Acme Inc' });
  const body = { customer: { id: customer.id }, plan: { id: plan.id } };
  expect(await calls.ok('POST', '/subscriptions', body)).toMatchObject({ status: 'active', name: 'premium_plan v1' });
  await send('agent_run', 'acme-inc', ['2026-11-21T12:08:00Z'], { agent_name: 'summarizer' });
  expect(await usageOf(meter.id, customer.id)).toBe('1');
});
