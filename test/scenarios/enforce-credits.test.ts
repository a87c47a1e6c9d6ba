import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { type EnforcingGateway, startEnforcingGateway } from '../support/enforcing-gateway.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** What each chat uses: known to nobody before its answer. */
const CHAT = { prompt: 30, answer: 60 };
const PER_CHAT = CHAT.prompt + CHAT.answer;

let served: ServedBackend;
const gateways: EnforcingGateway[] = [];
/** A feature, what it costs, and the plan that has nothing else. */
const plans = new Map<string, string>();

beforeAll(async () => {
  served = await serveBackend(new Date().toISOString());
  for (const [key, meter, amount] of [
    ['calls', 'kong_konnect_api_request', '1'],
    ['tokens', 'kong_konnect_llm_tokens', '0.01'],
  ] as const) {
    const { id: meterId } = await asked('POST', `/built-in-meters/${meter}/enable`);
    const { id } = await asked('POST', '/features', { name: key, key, meter: { id: meterId } });
    await asked('PUT', `/features/${id}/credit-stop`, { stops_without_credit: true });
    const price = { type: 'unit', amount };
    const card = { key, name: key, feature: { id }, billing_cadence: 'P1M', price, entitlement: { type: 'boolean' } };
    const phases = [{ name: 'Default', key: 'default', rate_cards: [card] }];
    const plan = await asked('POST', '/plans', { name: key, key, currency: 'USD', billing_cadence: 'P1M', phases });
    await asked('POST', `/plans/${plan.id}/publish`);
    plans.set(key, plan.id);
  }
});
afterAll(() => served.close());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and each was held against the contract
async function asked(method: string, path: string, body?: unknown): Promise<any> {
  const { status, text, json } = await served.backend.request(method, path, body === undefined ? {} : { body });
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
  return json;
}

async function customerWith(key: string, plan: string, credit: string): Promise<string> {
  const { id } = await asked('POST', '/customers', { name: key, key, currency: 'USD' });
  await asked('POST', '/subscriptions', { customer: { id }, plan: { id: plans.get(plan) } });
  await grant(id, credit);
  return id;
}

const grant = (id: string, amount: string) =>
  asked('POST', `/customers/${id}/credits/grants`, { name: 'Credit', funding_method: 'none', currency: 'USD', amount });

async function startGateway(more: object = {}): Promise<EnforcingGateway> {
  const gateway = await startEnforcingGateway({
    enforcement: {
      api_token: TOKENS.enforcement,
      entitlement_access_endpoint: `${served.url}/v3/openmeter/entitlement-access/query`,
      feature: { key: 'calls' },
      sync_rate: 1,
      // As long as it takes on a busy machine.
      cold_start_wait: 10_000,
      ...more,
    },
    metering: {
      ingest_endpoint: `${served.url}/v3/openmeter/events`,
      api_token: TOKENS.ingest,
      allow_status_codes: ['200-299'],
      queue: { max_coalescing_delay: 0.1 },
    },
  });
  gateways.push(gateway);
  return gateway;
}

/** Requests at all gateways in turn, some at a time, until one after the other is refused. @returns how many passed */
async function passedUntilRefused(key: string, at: readonly EnforcingGateway[]): Promise<number> {
  let [passed, refused] = [0, 0];
  for (let sent = 0; refused < 30 && sent < 1000; sent += at.length) {
    const statuses = await Promise.all(at.map(async (gateway) => (await gateway.request(key)).status));
    for (const status of statuses) {
      expect([200, 402]).toContain(status);
      if (status === 200) passed++;
      refused = status === 200 ? 0 : refused + 1;
    }
  }
  return passed;
}

const left = async (key: string, feature: string) => {
  const body = { include_credits: true, customer: { keys: [key] }, feature: { keys: [feature] } };
  return (await asked('POST', '/entitlement-access/balances', body)).data[0].features[feature].credit.amount_left;
};

describe('100 credits at 1 a call', () => {
  test.each([
    ['one node that counts along', 1, {}],
    ['one node with leases', 1, { credit_leases: true }],
    ['three nodes with leases', 3, { credit_leases: true }],
  ] as const)('let 100 pass on %s, then are answered with 402, until a grant gives more', async (name, count, more) => {
    const key = name.replaceAll(' ', '-');
    const id = await customerWith(key, 'calls', '100');
    const nodes = await Promise.all(Array.from({ length: count }, () => startGateway(more)));
    expect(await passedUntilRefused(key, nodes)).toBe(100);
    const { exit } = await (nodes[0] as EnforcingGateway).request(key);
    expect(exit).toMatchObject({
      status: 402,
      body: '{"message":"Customer has no credit available.","reason":"NO_CREDIT_AVAILABLE"}',
      headers: { 'RateLimit-Remaining': '0', 'Retry-After': '1' },
    });
    await expect.poll(() => left(key, 'calls')).toBe('0');
    await grant(id, '5');
    await expect
      .poll(async () => (await (nodes[0] as EnforcingGateway).request(key)).status, { timeout: 5000 })
      .toBe(200);
    expect(await passedUntilRefused(key, nodes)).toBe(4);
    await expect.poll(() => left(key, 'calls')).toBe('0');
  });
});

describe('tokens', () => {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'What is a gateway?' }], max_tokens: CHAT.answer });

  test.each([
    ['on one node', {}],
    ['on leases', { credit_leases: true }],
  ] as const)('are set aside until they are known, so that no more are used than are paid: %s', async (name, more) => {
    const key = name.replaceAll(' ', '-');
    // 1,000 tokens.
    await customerWith(key, 'tokens', '10');
    const gateway = await startGateway({ feature: { key: 'tokens' }, hold_tokens: true, ...more });
    let passed = 0;
    for (let round = 0; round < 12; round++) {
      const begun = await Promise.all(Array.from({ length: 5 }, () => gateway.begin(key, { body })));
      for (const request of begun) expect([200, 402]).toContain(request.status);
      const under = begun.filter(({ status }) => status === 200);
      passed += under.length;
      await Promise.all(begun.map((request) => request.end({ tokens: CHAT })));
    }
    // A chat needs what is set aside for it, less than 100 tokens: no more than that lies idle at the end.
    expect(passed * PER_CHAT).toBeGreaterThan(800);
    expect(passed * PER_CHAT).toBeLessThanOrEqual(1000);
    await expect.poll(() => left(key, 'tokens')).toBe(((1000 - passed * PER_CHAT) / 100).toString());
  });
});
