import { describe, expect, it } from 'vitest';
import { limitHeaders, refusalOf } from '../../../plugin/entitlement-enforcement/answers.ts';
import { readConfig } from '../../../plugin/entitlement-enforcement/config.ts';
import { createCounting } from '../../../plugin/entitlement-enforcement/counting.ts';
import { decide, type Facts, shareOf } from '../../../plugin/entitlement-enforcement/decide.ts';
import { type Known, readAnswer } from '../../../plugin/entitlement-enforcement/knowledge.ts';
import { Schema } from '../../../plugin/entitlement-enforcement/schema.ts';
import type { UsageFeedReader } from '../../../plugin/usage-feed/receiver.ts';
import { applySchema } from '../../gateway-player/index.ts';

const NOW = Date.parse('2026-03-10T10:00:00Z');
const GIVEN = {
  api_token: 'token',
  entitlement_access_endpoint: 'http://localhost:8888/v3/openmeter/entitlement-access/query',
  feature: { key: 'calls' },
};

function configOf(more: object = {}) {
  const { config, problems } = readConfig(applySchema(Schema, { ...GIVEN, ...more }));
  if (config === undefined) throw new Error(problems.join());
  return config;
}

function knownOf(features: object, askedAtMs = NOW): Known {
  const row = { matched: ['alice'], customer: { id: 'c1', key: 'alice' }, subjects: ['alice'], features };
  const known = readAnswer(JSON.stringify({ data: [row], errors: [] }), 'calls', askedAtMs).get('alice');
  if (known === undefined) throw new Error('nobody was found');
  return known;
}

const metered = (balance: string, more: object = {}) => ({
  calls: {
    has_access: true,
    type: 'metered',
    is_soft_limit: false,
    balance,
    total_available: '100',
    resets_at: '2026-03-10T10:00:30Z',
    meter: { event_type: 'kong.api_request', aggregation: 'count' },
    ...more,
  },
});

function facts(known: Known | undefined, more: Partial<Facts> = {}): Facts {
  return { known, isBackendUp: true, counting: createCounting(undefined), nowMs: NOW, syncRateMs: 2000, ...more };
}

describe('a decision', () => {
  const { decision } = configOf();

  it('counts along: what was let through is no longer there', () => {
    const known = knownOf(metered('3'));
    const counting = createCounting(undefined);
    const outcomes = Array.from({ length: 5 }, () => {
      const verdict = decide(facts(known, { counting }), decision);
      if (verdict.isAllowed) counting.admit('c1', verdict.units ?? 0, NOW);
      return [verdict.isAllowed, verdict.limit?.remaining];
    });
    expect(outcomes).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
  });

  it('counts nothing for soft limits, switches, and what Konnect says without balances', () => {
    for (const features of [
      metered('0', { is_soft_limit: true }),
      { calls: { has_access: true, type: 'boolean' } },
      { calls: { has_access: true } },
    ]) {
      expect(decide(facts(knownOf(features)), decision)).toEqual({ isAllowed: true });
    }
  });

  it('sets something aside for what is known after the answer only, when told to', () => {
    const tokens = { meter: { event_type: 'kong.llm_request', aggregation: 'sum', value_property: '$.tokens' } };
    const known = knownOf(metered('1000', tokens));
    expect(decide(facts(known), decision).units).toBe(0);
    expect(decide(facts(known), configOf({ units_per_request: 400 }).decision).units).toBe(400);
  });

  it('is refused with the reason that the backend gives', () => {
    const refused = (code: string) =>
      decide(facts(knownOf({ calls: { has_access: false, reason: { code, message: '' } } })), decision).reason;
    expect(refused('usage_limit_reached')).toBe('USAGE_LIMIT_REACHED');
    expect(refused('feature_unavailable')).toBe('FEATURE_UNAVAILABLE');
    expect(refused('feature_not_found')).toBe('FEATURE_NOT_FOUND');
    expect(refused('no_credit_available')).toBe('NO_CREDIT_AVAILABLE');
    expect(refused('something_new')).toBe('FEATURE_UNAVAILABLE');
  });

  it('asks again as soon as a new period has begun', () => {
    const known = knownOf(metered('0', { has_access: false, reason: { code: 'usage_limit_reached' } }));
    expect(decide(facts(known), decision)).toMatchObject({ asksAgain: false, retryAfterMs: 30_000 });
    expect(decide(facts(known, { nowMs: NOW + 30_000 }), decision)).toMatchObject({ asksAgain: true });
  });

  it('is the fail policy when nothing is known, or what is known is too old', () => {
    const old = knownOf(metered('5'), NOW - 60_001);
    const block = configOf({ fail_policy: 'block' }).decision;
    for (const one of [facts(old), facts(undefined, { isBackendUp: false })]) {
      expect(decide(one, decision).isAllowed).toBe(true);
      expect(decide(one, block)).toMatchObject({ isAllowed: false, reason: 'ENTITLEMENTS_UNKNOWN' });
    }
    expect(decide(facts(knownOf(metered('5'), NOW - 60_000)), block).isAllowed).toBe(true);
  });

  it('refuses the unknown unless they may pass', () => {
    const unknown = readAnswer('{"data":[],"errors":[{"customer":"bob","code":"customer_not_found"}]}', 'calls', NOW);
    expect(decide(facts(unknown.get('bob')), decision)).toMatchObject({
      reason: 'CUSTOMER_NOT_FOUND',
      asksAgain: false,
    });
    expect(decide(facts(unknown.get('bob')), configOf({ deny_unknown_customers: false }).decision).isAllowed).toBe(
      true,
    );
  });

  it('is provisional while nobody has been asked yet, and then that of the fail policy', () => {
    const block = configOf({ fail_policy: 'block' }).decision;
    expect(decide(facts(undefined), decision)).toMatchObject({ isAllowed: true, isProvisional: true, asksAgain: true });
    expect(decide(facts(undefined), block)).toMatchObject({ reason: 'ENTITLEMENTS_UNKNOWN', isProvisional: true });
    expect(decide(facts(undefined, { isBackendUp: false }), block)).toMatchObject({ isProvisional: false });
  });
});

describe('what a plugin server that was killed had not counted', () => {
  const known = knownOf(metered('10'));
  const feedOf = (made: number, settled: number, tellsAll: boolean): UsageFeedReader => ({
    isConnected: () => tellsAll,
    tellsAll: () => tellsAll,
    totals: () => ({ made, settled }),
    onLogged: () => undefined,
    close: () => undefined,
  });
  const restoredWith = (feed: UsageFeedReader) => {
    const before = createCounting(feedOf(4, 1, true));
    before.admit('c1', 2, NOW);
    const after = createCounting(feed);
    after.restore(JSON.parse(JSON.stringify(before.save([known, undefined, known]))), NOW);
    return after;
  };

  it('counts in the next one until the metering plugin has told of it and the backend was asked', () => {
    const silent = restoredWith(feedOf(0, 0, false));
    expect(silent.uncounted(known, NOW)).toBe(6);
    silent.answered('c1', silent.mark(known), known);
    expect(silent.uncounted(known, NOW + 60_000)).toBe(6);
    // Should it be killed again, it is kept.
    expect(silent.save([known])).toEqual({ c1: { underWay: [], onTheirWay: 6 } });

    const told = restoredWith(feedOf(4, 1, true));
    expect(told.uncounted(known, NOW)).toBe(10);
    told.answered('c1', told.mark(known), known);
    expect(told.uncounted(known, NOW)).toBe(3);
  });

  it('is not kept for ever where there is no metering plugin', () => {
    const before = createCounting(undefined);
    before.admit('c1', 2, NOW);
    const after = createCounting(undefined);
    after.restore(before.save([known]), NOW);
    expect(after.uncounted(known, NOW + 4999)).toBe(2);
    expect(after.uncounted(known, NOW + 5000)).toBe(0);
  });
});

describe('a customer with two keys', () => {
  it('is judged by each key with what had been delivered when that key was asked about', () => {
    const totals = { made: 0, settled: 0 };
    const counting = createCounting({
      isConnected: () => true,
      tellsAll: () => true,
      totals: () => ({ ...totals }),
      onLogged: () => undefined,
      close: () => undefined,
    });
    const ask = (balance: string) => {
      const known = knownOf(metered(balance));
      counting.answered('c1', counting.mark(known), known);
      return known;
    };
    const first = ask('10');
    Object.assign(totals, { made: 8, settled: 6 });
    const second = ask('4');
    // The older answer does not have the six; the newer one does.
    expect(counting.uncounted(first, NOW)).toBe(8);
    expect(counting.uncounted(second, NOW)).toBe(2);
    expect(counting.save([second, first, second])).toEqual({ c1: { underWay: [], onTheirWay: 8 } });
  });
});

describe('the share of a node', () => {
  it('is all on one node, and on several a part that never comes to nothing before the end', () => {
    expect(shareOf(10, configOf().decision)).toBe(10);
    const three = configOf({ node_count: 3 }).decision;
    expect([10, 3, 1, 0.5, 0].map((balance) => shareOf(balance, three))).toEqual([4, 1, 1, 0.5, 0]);
    expect(shareOf(10, configOf({ node_count: 3, overshoot_per_node: 8 }).decision)).toBe(8);
    expect(shareOf(5, configOf({ node_count: 3, overshoot_per_node: 8 }).decision)).toBe(5);
  });

  it('never lets more through than the formula says, however nodes and answers interleave', () => {
    // Three nodes with stale views of a common balance; each counts along and sees what the others did only when it asks.
    const { decision } = configOf({ node_count: 3 });
    for (let seed = 1; seed <= 200; seed++) {
      let random = seed;
      const next = (below: number) => {
        random = (random * 48_271) % 2_147_483_647;
        return random % below;
      };
      let counted = 0;
      let passed = 0;
      const nodes = Array.from({ length: 3 }, () => ({ balance: 100, uncounted: 0 }));
      for (let step = 0; step < 1000; step++) {
        const node = nodes[next(3)];
        if (node === undefined) continue;
        if (next(20) === 0) {
          counted += node.uncounted;
          node.uncounted = 0;
          node.balance = Math.max(0, 100 - counted);
        } else if (node.uncounted < shareOf(node.balance, decision)) {
          node.uncounted++;
          passed++;
        }
      }
      expect(passed).toBeLessThanOrEqual(100 + 2 * Math.ceil(100 / 3));
    }
  });
});

describe('an answer', () => {
  const decision = decide(facts(knownOf(metered('0.5')), { nowMs: NOW }), configOf().decision);

  it('tells limit, what is left and seconds until there is more', () => {
    expect(limitHeaders(decision, NOW)).toEqual({
      'RateLimit-Limit': '100',
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': '30',
    });
  });

  it('has the body that was chosen', () => {
    const refused = { isAllowed: false, reason: 'USAGE_LIMIT_REACHED', retryAfterMs: 1500 } as const;
    const bodyOf = (more: object) => refusalOf(refused, configOf(more).answer, NOW);
    expect(bodyOf({})).toMatchObject({
      status: 429,
      body: '{"message":"Customer has reached usage limit for feature.","reason":"USAGE_LIMIT_REACHED"}',
      headers: { 'Content-Type': 'application/json; charset=utf-8', 'Retry-After': '2' },
    });
    expect(bodyOf({ error_body: 'empty' })).toEqual({ status: 429, body: undefined, headers: { 'Retry-After': '2' } });
    expect(JSON.parse(bodyOf({ error_body: 'problem', error_message: 'Buy more' }).body ?? '')).toEqual({
      type: 'about:blank',
      title: 'Buy more',
      status: 429,
      reason: 'USAGE_LIMIT_REACHED',
    });
  });
});

describe('the configuration', () => {
  it('has the defaults of the Enterprise plugin', () => {
    const { access, decision } = configOf();
    expect(access).toMatchObject({
      timeoutMs: 10_000,
      includesCredits: true,
      keepaliveMs: 60_000,
      sslVerify: true,
      refreshIntervalMs: 30_000,
      syncRateMs: 2000,
    });
    expect(decision).toMatchObject({ deniesUnknownCustomers: true, failPolicy: 'allow', maxStaleMs: 60_000 });
  });

  it('takes over status and message of each refusal', () => {
    const { answer } = configOf({
      response_codes: { USAGE_LIMIT_REACHED: { http_status: 402, message: 'Upgrade' }, CUSTOMER_NOT_FOUND: {} },
    });
    const refused = { isAllowed: false, reason: 'USAGE_LIMIT_REACHED' } as const;
    expect(refusalOf(refused, answer, NOW)).toMatchObject({
      status: 402,
      body: '{"message":"Upgrade","reason":"USAGE_LIMIT_REACHED"}',
    });
    expect(answer.refusals).toMatchObject({
      NO_CREDIT_AVAILABLE: { status: 402, message: 'Customer has no credit available.' },
      FEATURE_UNAVAILABLE: { status: 403, message: 'Feature is not available for the customer.' },
      FEATURE_NOT_FOUND: { status: 403, message: 'Feature not found.' },
      CUSTOMER_NOT_FOUND: { status: 403, message: 'Customer is not found by subject.' },
    });
  });

  it('of the Enterprise plugin is accepted as it is, and what has no effect here is named', () => {
    const config = configOf({
      customer: { look_up_value_in: 'consumer', field: 'id' },
      fail_policy: 'block',
      refresh_interval: 3,
      max_stale_seconds: 90,
      l1_cache_ttl_seconds: 5,
      l2_cache_ttl_seconds: 120,
      credit_balance_required: false,
      redis: {
        host: 'redis.example.com',
        port: 6379,
        password: '{vault://env/redis-password}',
        cluster_nodes: [{ ip: '127.0.0.1', port: 6379 }],
        cloud_authentication: { auth_provider: 'oauth', oauth: { token_headers: { a: 'b' }, scopes: ['x'] } },
      },
    });
    expect(config.withoutEffect).toEqual(['l1_cache_ttl_seconds', 'l2_cache_ttl_seconds', 'redis']);
    expect(config.decision.maxStaleMs).toBe(90_000);
    expect(config.access.includesCredits).toBe(false);
    expect(configOf().withoutEffect).toEqual([]);
    expect(configOf({ max_stale: 5 }).decision.maxStaleMs).toBe(5000);
    expect(() => configOf({ redis: { hosts: 'x' } })).toThrow('unknown field');
  });

  it('names what cannot work, and no value', () => {
    const { problems = [] } = readConfig({
      ...GIVEN,
      api_token: '',
      feature: {},
      sync_rate: 0,
      customer: { look_up_value_in: 'header' },
    });
    expect(problems.join('\n')).toMatch(/feature\.key[\s\S]*customer\.field[\s\S]*api_token[\s\S]*sync_rate/);
    expect(() => applySchema(Schema, { ...GIVEN, refresh_interval: 1 })).toThrow('between 2 and 3600');
  });
});
