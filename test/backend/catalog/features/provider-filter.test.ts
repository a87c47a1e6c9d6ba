import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

let t: TestBackend;
let meterId: string;
let nextId = 0;

beforeAll(async () => {
  t = await createTestBackend();
  const dimensions = { provider: '$.provider', model: '$.model' };
  const meter = { name: 'Tokens', key: 'tokens', aggregation: 'sum', event_type: 'kong.llm_request' };
  meterId = (await create('/meters', { ...meter, value_property: '$.tokens', dimensions })).id;
  const tokens: [string, number][] = [
    ['openai', 1],
    ['OpenAI', 20],
    ['anthropic', 300],
    ['Anthropic', 4000],
  ];
  for (const [provider, count] of tokens) await ingest({ provider, model: provider, tokens: count });
});
afterAll(() => t.close());

async function create(path: string, body: unknown): Promise<Json> {
  const answer = await t.request('POST', path, { body });
  expect(answer.status).toBe(201);
  return answer.json;
}

async function ingest(data: object, subject = 'alice'): Promise<void> {
  const body = { id: `${nextId++}`, source: 's', specversion: '1.0', type: 'kong.llm_request', subject, data };
  const answer = await t.request('POST', '/events', {
    rawBody: JSON.stringify(body),
    headers: { 'Content-Type': 'application/cloudevents+json' },
  });
  expect(answer.status).toBe(202);
}

async function sum(dimension: string, filter: object): Promise<string> {
  const body = { filters: { dimensions: { [dimension]: filter } } };
  const answer = await t.request('POST', `/meters/${meterId}/query`, { body });
  return ((answer.json as Json).data[0]?.value as string) ?? '0';
}

test('providers of the gateway compare without case, in every operator', async () => {
  expect(await sum('provider', { eq: 'OpenAI' })).toBe('21');
  expect(await sum('provider', { eq: 'openai' })).toBe('1');
  expect(await sum('provider', { in: ['OPENAI', 'Anthropic'] })).toBe('4301');
  expect(await sum('provider', { neq: 'OpenAI' })).toBe('4300');
  expect(await sum('provider', { nin: ['OpenAI', 'Anthropic'] })).toBe('0');
  expect(await sum('provider', { contains: 'AI' })).toBe('21');
  expect(await sum('provider', { or: [{ eq: 'OpenAI' }, { and: [{ eq: 'ANTHROPIC' }] }] })).toBe('321');
  // Other dimensions compare as they are.
  expect(await sum('model', { eq: 'OpenAI' })).toBe('20');
});

test('a feature for "OpenAI" bills what the gateway calls openai, and keeps what was written', async () => {
  const filters = { provider: { eq: 'OpenAI' } };
  const feature = await create('/features', { name: 'Tokens', key: 'ai_token', meter: { id: meterId, filters } });
  expect(feature.meter.filters).toEqual(filters);
  const customer = await create('/customers', {
    name: 'Bob',
    key: 'bob',
    currency: 'USD',
    usage_attribution: { subject_keys: ['bob'] },
  });
  const price = { type: 'unit', amount: '1' };
  const card = { name: 'Tokens', key: 'ai_token', feature: { id: feature.id }, billing_cadence: 'P1M', price };
  const phase = { name: 'All', key: 'all', rate_cards: [card] };
  const plan = { name: 'Plan', key: 'plan', currency: 'USD', billing_cadence: 'P1M', phases: [phase] };
  const { id: planId } = await create('/plans', plan);
  expect((await t.request('POST', `/plans/${planId}/publish`)).status).toBe(200);
  await create('/subscriptions', { customer: { id: customer.id }, plan: { id: planId } });
  await ingest({ provider: 'openai', model: 'gpt', tokens: 7 }, 'bob');
  await ingest({ provider: 'anthropic', model: 'claude', tokens: 9 }, 'bob');
  const preview = await t.request('GET', `/customers/${customer.id}/invoice-preview`);
  expect((preview.json as Json).totals.total).toBe('7');
});
