import type { Json } from '../../support/answers.ts';

/** What the tutorials for Metering & Billing have their readers make first: a meter, and the rate card of a feature on it. */
export interface Priced {
  meter: Json;
  /** As a plan takes it. */
  card: Json;
}

type Post = (method: 'POST', path: string, body?: Json) => Promise<Json>;

/** A dollar for each 5,000 requests to example-service. */
export async function priceApiRequests(post: Post): Promise<Priced> {
  const meter = await post('POST', '/built-in-meters/kong_konnect_api_request/enable');
  const filters = { service_name: { eq: 'example-service' } };
  const card = await cardOf(post, 'example_service', 'example-service', { id: meter.id, filters });
  const unit_config = { operation: 'divide', conversion_factor: '5000', rounding: 'ceiling' };
  return { meter, card: { ...card, price: { type: 'unit', amount: '1' }, unit_config } };
}

/** $0.00002 for each token, with access. */
export async function priceLlmTokens(post: Post, filters: Json = {}): Promise<Priced> {
  const meter = await post('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
  const card = await cardOf(post, 'ai_token', 'ai-token', { id: meter.id, filters });
  return { meter, card: { ...card, price: { type: 'unit', amount: '0.00002' }, entitlement: { type: 'boolean' } } };
}

/** A dollar for each run of an agent, with access; the meter is what the console's template "Count agent runs" makes. */
export async function priceAgentRuns(post: Post): Promise<Priced> {
  const meter = await post('POST', '/meters', {
    key: 'agent_runs_total',
    name: 'Count Agent Runs',
    event_type: 'agent_run',
    aggregation: 'count',
    dimensions: { agent_name: '$.agent_name' },
  });
  const card = await cardOf(post, 'agent_runs', 'Agent Runs', { id: meter.id });
  return { meter, card: { ...card, price: { type: 'unit', amount: '1' }, entitlement: { type: 'boolean' } } };
}

async function cardOf(post: Post, key: string, name: string, meter: Json): Promise<Json> {
  const feature = await post('POST', '/features', { key, name, meter });
  return { key, name, feature: { id: feature.id }, billing_cadence: 'P1M' };
}
