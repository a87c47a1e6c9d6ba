import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntitlementsUnderTest, startEntitlements } from '../../../support/customers/entitlements.ts';

let t: EntitlementsUnderTest;
let alice: { id: string; key: string };
let bob: { id: string; key: string };
beforeAll(async () => {
  t = await startEntitlements();
  alice = await t.newCustomer(['alice-key-1', 'alice-key-2']);
  t.backend.clock.advanceMs(1000);
  bob = await t.newCustomer();
  const usage_period = { interval: 'P1M' };
  const metered = { type: 'metered', feature: { id: t.calls.id }, usage_period, issue: { amount: '3' } };
  await t.post(`/customers/${alice.id}/entitlements`, metered);
  await t.post(`/customers/${bob.id}/entitlements`, metered);
  const config = { models: ['small'], limit: 12345678901234567890n.toString() };
  await t.post(`/customers/${alice.id}/entitlements`, { type: 'static', feature: { id: t.flag.id }, config });
  await t.use('call', 'alice-key-2', '2026-03-10T10:00:02Z', 3);
  t.backend.clock.advanceMs(10_000);
});
afterAll(() => t.backend.close());

describe('access of one customer', () => {
  it('is listed by feature key, without balances', async () => {
    const { json } = await t.get(`/customers/${alice.id}/entitlement-access`);
    expect(json.data).toEqual([
      { type: 'metered', feature_key: 'api_calls', has_access: false },
      {
        type: 'static',
        feature_key: 'sso',
        has_access: true,
        config: '{"models":["small"],"limit":"12345678901234567890"}',
      },
    ]);
  });

  it('has no type where there is no entitlement', async () => {
    const { json } = await t.get(`/customers/${bob.id}/entitlement-access/features/sso`);
    expect(json).toEqual({ has_access: false });
  });

  it('answers 404 for nobody and 412 for a deleted customer', async () => {
    const gone = await t.newCustomer();
    await t.backend.request('DELETE', `/customers/${gone.id}`);
    await t.get(`/customers/${gone.id}/entitlement-access`, 412);
    await t.get('/customers/01HZZZZZZZZZZZZZZZZZZZZZZZ/entitlement-access', 404);
  });
});

describe('the access query that gateways poll', () => {
  const query = (body: unknown, parameters = '') =>
    t.post(`/entitlement-access/query${parameters}`, body, 200).then(({ json }) => json);

  it('answers by customer, with the keys that matched, and lists the unknown ones', async () => {
    const json = await query({
      customer: { keys: ['alice-key-1', bob.key, 'nobody', alice.key] },
      feature: { keys: ['api_calls', 'sso', 'llm_tokens', 'no_such'] },
    });
    expect(json.data).toHaveLength(2);
    expect(json.data[0]).toMatchObject({ matched: ['alice-key-1', alice.key], customer: { id: alice.id } });
    const reasons = (features: Record<string, { has_access: boolean; reason?: { code: string } }>) =>
      Object.fromEntries(Object.entries(features).map(([key, one]) => [key, one.has_access || one.reason?.code]));
    expect(reasons(json.data[0].features)).toEqual({
      api_calls: 'usage_limit_reached',
      sso: true,
      llm_tokens: 'feature_unavailable',
      no_such: 'feature_not_found',
    });
    expect(reasons(json.data[1].features)).toMatchObject({ api_calls: true, sso: 'feature_unavailable' });
    expect(json.errors).toEqual([expect.objectContaining({ code: 'customer_not_found', customer: 'nobody' })]);
    expect(json.meta.page.next).toBeNull();
  });

  it('tells of every feature when none is named', async () => {
    const json = await query({ customer: { keys: [alice.key] } });
    expect(Object.keys(json.data[0].features)).toEqual(['api_calls', 'llm_tokens', 'sso']);
  });

  it('goes on where a page ended', async () => {
    const body = { customer: { keys: [bob.key, alice.key, 'nobody'] }, feature: { keys: ['sso'] } };
    const first = await query(body, '?page[size]=1');
    expect(first.data.map((row: { customer: { id: string } }) => row.customer.id)).toEqual([alice.id]);
    const second = await query(body, `?page[size]=1&page[after]=${first.meta.page.next}`);
    expect(second.data.map((row: { customer: { id: string } }) => row.customer.id)).toEqual([bob.id]);
    expect(second.meta.page.next).toBeNull();
    expect(second.errors).toEqual([]);
    await t.post('/entitlement-access/query?page[after]=abc', body, 400);
  });

  it('takes 1 to 100 keys', async () => {
    const keys = Array.from({ length: 101 }, (_, index) => `k${index}`);
    await t.post('/entitlement-access/query', { customer: { keys } }, 400);
    await t.post('/entitlement-access/query', { customer: { keys: [] } }, 400);
    expect((await query({ customer: { keys: keys.slice(1) }, feature: { keys: ['sso'] } })).errors).toHaveLength(100);
  });
});

describe('the balances query', () => {
  it('tells what is left, when it is filled up and what counts', async () => {
    const body = { customer: { keys: [bob.key, alice.key] }, feature: { keys: ['api_calls', 'sso'] } };
    const { json } = await t.post('/entitlement-access/balances', body, 200);
    expect(json.data[0]).toMatchObject({
      subjects: [alice.key, 'alice-key-1', 'alice-key-2'],
      features: {
        api_calls: {
          has_access: false,
          type: 'metered',
          balance: '0',
          usage: '3',
          total_available: '3',
          resets_at: '2026-04-10T10:00:00Z',
          meter: { event_type: 'call', aggregation: 'count' },
        },
        sso: { has_access: true, type: 'static' },
      },
    });
    expect(json.data[1].features.api_calls).toMatchObject({ has_access: true, balance: '3' });
  });
});
