import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { type EnforcingGateway, type RequestUnderWay, startEnforcingGateway } from '../support/enforcing-gateway.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

const LIMIT = 1000;
/** What each chat uses: known to nobody before its answer. */
const CHAT = { prompt: 30, answer: 60 };
const PER_CHAT = CHAT.prompt + CHAT.answer;

let served: ServedBackend;
let gateway: EnforcingGateway;
let planId: string;

beforeAll(async () => {
  served = await serveBackend(new Date().toISOString());
  const { id } = await asked('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
  const feature = await asked('POST', '/features', { name: 'Tokens', key: 'tokens', meter: { id } });
  const card = {
    name: 'Tokens',
    key: 'tokens',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'free' },
    entitlement: { type: 'metered', limit: LIMIT },
  };
  const phases = [{ name: 'Default', key: 'default', rate_cards: [card] }];
  const plan = await asked('POST', '/plans', {
    name: 'Chat',
    key: 'chat',
    currency: 'USD',
    billing_cadence: 'P1M',
    phases,
  });
  planId = plan.id;
  await asked('POST', `/plans/${planId}/publish`);
});
afterAll(() => served.close());
afterEach(() => gateway.close());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and each was held against the contract
async function asked(method: string, path: string, body?: unknown): Promise<any> {
  const { status, text, json } = await served.backend.request(method, path, body === undefined ? {} : { body });
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
  return json;
}

const startGateway = (more: object = {}) =>
  startEnforcingGateway({
    enforcement: {
      api_token: TOKENS.viewer,
      entitlement_access_endpoint: `${served.url}/v3/openmeter/entitlement-access/query`,
      feature: { key: 'tokens' },
      sync_rate: 1,
      rate_limit_headers: 'all',
      ...more,
    },
    metering: {
      ingest_endpoint: `${served.url}/v3/openmeter/events`,
      api_token: TOKENS.ingest,
      meter_api_requests: false,
      allow_status_codes: ['200-299'],
      queue: { max_batch_size: 100, max_coalescing_delay: 0.1 },
    },
  });

/** A customer who has subscribed to the plan, and whom the gateway knows. */
async function subscriber(key: string) {
  const customer = await asked('POST', '/customers', { name: key, key });
  const subscription = await asked('POST', '/subscriptions', { customer: { id: customer.id }, plan: { id: planId } });
  const { data } = await asked('GET', `/customers/${customer.id}/entitlements`);
  const path = `/customers/${customer.id}/entitlements/${data[0].id}`;
  const value = async () => (await asked('GET', `${path}/value?expand=value`)).value;
  await untilStatus(key, 200);
  return { path, subscription, value };
}

/** Requests that fail at the upstream, and so use nothing, until one is answered so. */
async function untilStatus(key: string, status: number): Promise<RequestUnderWay> {
  let last: RequestUnderWay | undefined;
  await expect
    .poll(async () => {
      last = await gateway.begin(key);
      await last.end({ tokens: { prompt: 0, answer: 0 }, status: 500 });
      return last.status;
    })
    .toBe(status);
  if (last === undefined) throw new Error('nothing was sent');
  return last;
}

/** Chats one after the other until one is refused; @returns how many passed */
async function chatUntilRefused(key: string): Promise<number> {
  for (let passed = 0; passed < 100; passed++) {
    const chat = await gateway.begin(key);
    await chat.end({ tokens: CHAT });
    if (chat.status !== 200) return passed;
  }
  throw new Error('nothing was refused');
}

describe('a plan with a limit of 1,000 tokens', () => {
  test('is overshot by no more than what is under way, and says so until a grant or a new period', async () => {
    gateway = await startGateway();
    const { path, value } = await subscriber('ada');
    const first = await gateway.begin('ada');
    await first.end({ tokens: { prompt: 500, answer: 450 } });
    // Nobody knows what a chat will use: all that are under way when the quota runs out come to their end.
    const underWay = await Promise.all(Array.from({ length: 5 }, () => gateway.begin('ada')));
    expect(underWay.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const chat of underWay) await chat.end({ tokens: CHAT });
    // Known on the node at once, by what its metering plugin has counted; the backend need not know yet.
    const refused = await untilStatus('ada', 429);
    expect(refused.exit).toMatchObject({
      status: 429,
      body: '{"message":"Customer has reached usage limit for feature.","reason":"USAGE_LIMIT_REACHED"}',
      headers: { 'RateLimit-Limit': '1000', 'RateLimit-Remaining': '0' },
    });
    await expect.poll(value).toMatchObject({ usage: String(950 + 5 * PER_CHAT), balance: '0', overage: '400' });
    expect(await gateway.begin('ada')).toMatchObject({ status: 429 });

    // A grant pays what was overshot, and then for more.
    await asked('POST', `${path}/grants`, { amount: '500', effective_at: new Date().toISOString() });
    await untilStatus('ada', 200);
    expect(await value()).toMatchObject({ balance: '100', overage: '0' });

    // The next period has the plan's 1,000 anew, and what is left of the grant.
    served.backend.clock.advanceMs(32 * 86_400_000);
    await expect.poll(async () => (await gateway.begin('ada')).headers['RateLimit-Remaining']).toBe('1100');
    served.backend.clock.set(new Date().toISOString());
  });

  test('is overshot by less than one chat when as much as one uses is set aside for each', async () => {
    gateway = await startGateway({ units_per_request: PER_CHAT });
    const { value, subscription } = await subscriber('bea');
    const passed = await chatUntilRefused('bea');
    // One may be refused too early: for a moment a chat that has ended counts beside what was set aside for it.
    expect([Math.floor(LIMIT / PER_CHAT), Math.ceil(LIMIT / PER_CHAT)]).toContain(passed);
    await expect.poll(value).toMatchObject({ usage: String(passed * PER_CHAT) });

    // A subscription that is canceled grants nothing any more, and says so.
    await asked('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });
    const refused = await untilStatus('bea', 403);
    expect(refused.exit?.body).toBe(
      '{"message":"Feature is not available for the customer.","reason":"FEATURE_UNAVAILABLE"}',
    );
  });
});
