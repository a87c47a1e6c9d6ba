import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../plugin/entitlement-enforcement/answers.ts';
import { readConfig } from '../../../plugin/entitlement-enforcement/config.ts';
import { createCounting } from '../../../plugin/entitlement-enforcement/counting.ts';
import type { Kong } from '../../../plugin/entitlement-enforcement/customer.ts';
import { decide, type Facts } from '../../../plugin/entitlement-enforcement/decide.ts';
import { type Known, readAnswer } from '../../../plugin/entitlement-enforcement/knowledge.ts';
import { Lease } from '../../../plugin/entitlement-enforcement/leasing.ts';
import { findTokens } from '../../../plugin/entitlement-enforcement/prompt-hold.ts';
import { Schema } from '../../../plugin/entitlement-enforcement/schema.ts';
import { UnderWay } from '../../../plugin/entitlement-enforcement/under-way.ts';
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

function withCredit(units: string | undefined, amount: string, more: object = {}): Known {
  const credit = {
    currency: 'USD',
    amount_left: amount,
    ...(units !== undefined && { units_left: units }),
    next_unit_cost: '1',
    meter: { event_type: 'kong.api_request', aggregation: 'count' },
  };
  const denial = units === '0' ? { has_access: false, reason: { code: 'no_credit_available' } } : { has_access: true };
  const calls = { ...denial, type: 'boolean', credit, ...more };
  const row = { matched: ['alice'], customer: { id: 'c1' }, subjects: ['alice'], features: { calls } };
  const known = readAnswer(JSON.stringify({ data: [row], errors: [] }), 'calls', NOW).get('alice');
  if (known === undefined) throw new Error('nobody was found');
  return known;
}

function facts(known: Known, more: Partial<Facts> = {}): Facts {
  return { known, isBackendUp: true, counting: createCounting(undefined), nowMs: NOW, syncRateMs: 2000, ...more };
}

describe('a decision about credit', () => {
  const { decision, answer } = configOf();

  it('counts along, and is 402 with what was left', () => {
    const known = withCredit('2', '2');
    const counting = createCounting(undefined);
    const outcomes = Array.from({ length: 4 }, () => {
      const verdict = decide(facts(known, { counting }), decision);
      if (verdict.isAllowed) counting.admit('c1', verdict.units ?? 0, NOW);
      return verdict;
    });
    expect(outcomes.map(({ isAllowed }) => isAllowed)).toEqual([true, true, false, false]);
    const refused = outcomes[3] ?? { isAllowed: true };
    expect(refused).toMatchObject({ reason: 'NO_CREDIT_AVAILABLE', asksAgain: true });
    expect(refusalOf(refused, answer, NOW)).toMatchObject({
      status: 402,
      body: '{"message":"Customer has no credit available.","reason":"NO_CREDIT_AVAILABLE"}',
      headers: { 'RateLimit-Limit': '2', 'RateLimit-Remaining': '0', 'Retry-After': '2' },
    });
  });

  it('lets pass what costs nothing, and asks for each of a limit and a credit', () => {
    expect(decide(facts(withCredit(undefined, '0')), decision).isAllowed).toBe(true);
    const limit = { type: 'metered', balance: '1', total_available: '5', is_soft_limit: false };
    expect(decide(facts(withCredit('9', '9', limit)), decision).isAllowed).toBe(true);
    expect(decide(facts(withCredit('9', '9', { ...limit, balance: '0' })), decision).reason).toBe(
      'USAGE_LIMIT_REACHED',
    );
    expect(decide(facts(withCredit('0', '0', limit)), decision).reason).toBe('NO_CREDIT_AVAILABLE');
  });

  it('is for as much as is set aside for the request', () => {
    expect(decide(facts(withCredit('100', '1'), { units: 100 }), decision)).toMatchObject({
      isAllowed: true,
      units: 100,
    });
    expect(decide(facts(withCredit('100', '1'), { units: 101 }), decision).reason).toBe('NO_CREDIT_AVAILABLE');
  });

  it('takes off what this node has spent of it on other features', () => {
    const known = withCredit('10', '20');
    expect(decide(facts(known, { spentElsewhere: () => 17 }), decision).isAllowed).toBe(true);
    expect(decide(facts(known, { spentElsewhere: () => 19 }), decision).isAllowed).toBe(false);
  });

  it('is by the lease alone where there are leases, and by the fail policy when it has lapsed', () => {
    const known = withCredit('50', '50');
    const block = configOf({ fail_policy: 'block' }).decision;
    expect(decide(facts(known, { lease: { units: 1 } }), decision).isAllowed).toBe(true);
    // More may be had: worth a wait.
    expect(decide(facts(known, { lease: { units: 0 } }), decision)).toMatchObject({
      isAllowed: false,
      isProvisional: true,
    });
    const spent = withCredit('0', '0');
    expect(decide(facts(spent, { lease: { units: 0 } }), decision)).toMatchObject({
      reason: 'NO_CREDIT_AVAILABLE',
      isProvisional: false,
    });
    expect(decide(facts(known, { lease: { units: undefined } }), block)).toMatchObject({ isProvisional: true });
    const down = facts(known, { lease: { units: undefined }, isBackendUp: false });
    expect(decide(down, block).reason).toBe('ENTITLEMENTS_UNKNOWN');
    expect(decide(down, decision).isAllowed).toBe(true);
  });
});

describe('a lease', () => {
  const ask = (lease: Lease, uncounted: number, told: number, nowMs: number, canCount = true) =>
    lease.ask({ uncounted, told, nowMs, canCount });

  it('is asked for by the pace of requests, and what nobody uses goes back', () => {
    const lease = new Lease();
    expect(ask(lease, 0, 0, 0)).toEqual({ turn: 1, outstanding: '0', wanted: '0' });
    lease.lack(1);
    expect(ask(lease, 0, 0, 10)).toEqual({ turn: 2, outstanding: '0', wanted: '5' });
    lease.take({ units: 5, validForMs: 20_000 }, 10);
    expect([lease.units(10), lease.units(20_009), lease.units(20_010)]).toEqual([5, 5, undefined]);
    for (let request = 0; request < 4; request++) lease.admit(1);
    expect(lease.isLow(4, 20)).toBe(true);
    // Four in a second; three of them have arrived.
    expect(ask(lease, 4, 3, 1010)).toEqual({ turn: 3, outstanding: '2', wanted: '19' });
    lease.take({ units: 21, validForMs: 20_000 }, 1010);
    // One is not told of yet, and nobody has come since.
    expect(lease.isIdle(1, 3000)).toBe(true);
    expect(ask(lease, 1, 0, 3000)).toEqual({ turn: 4, outstanding: '1', wanted: '0' });
    expect(lease.units(3001)).toBe(1);
  });

  it('is not asked for by a node that is told nothing, and lapses', () => {
    const lease = new Lease();
    lease.lack(1);
    expect(ask(lease, 0, 0, 0, false)).toEqual({ turn: 1, outstanding: '0', wanted: '0' });
    lease.take(undefined, 0);
    expect(lease.units(1)).toBeUndefined();
  });
});

describe('what is set aside for a call of a model', () => {
  const kong = (body: unknown, length?: string) =>
    ({ request: { getRawBody: async () => body, getHeader: async () => length } }) as unknown as Kong;
  const { decision } = configOf({ units_per_request: 500 });

  it.each([
    [{ max_tokens: 7 }, 7],
    [{ max_completion_tokens: 8, max_tokens: 7 }, 8],
    [{ generationConfig: { maxOutputTokens: 9 } }, 9],
    [{ inferenceConfig: { maxTokens: 10 } }, 10],
    [{ max_tokens: 'many' }, 500],
  ])('is a third of the bytes and the limit of the answer: %j', async (body, limit) => {
    const text = JSON.stringify(body);
    const expected = Math.ceil(text.length / 3) + limit;
    expect(await findTokens(decision, kong(text))).toBe(expected);
    expect(await findTokens(decision, kong(Buffer.from(text)))).toBe(expected);
  });

  it('is reckoned by its length where the body is not at hand, and is what the settings say of no JSON', async () => {
    const inFile = {
      request: { getRawBody: () => Promise.reject(new Error('in a file')), getHeader: async () => '30000' },
    };
    expect(await findTokens(decision, inFile as unknown as Kong)).toBe(10_500);
    expect(await findTokens(decision, kong(undefined))).toBe(500);
    expect(await findTokens(decision, kong('no JSON'))).toBe(503);
  });

  it('stays at least what is under way: the smallest is released first', () => {
    const underWay = new UnderWay();
    for (const units of [100, 5, 100]) underWay.admit('c1', units, NOW);
    underWay.end('c1', 1);
    expect(underWay.units('c1', NOW)).toBe(200);
    underWay.end('c1', 2);
    expect(underWay.units('c1', NOW)).toBe(0);
  });
});
