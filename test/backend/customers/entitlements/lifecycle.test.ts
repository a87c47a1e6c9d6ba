import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntitlementsUnderTest, startEntitlements } from '../../../support/customers/entitlements.ts';

let t: EntitlementsUnderTest;
beforeAll(async () => {
  t = await startEntitlements();
});
afterAll(() => t.backend.close());

const at = (instant: string) => t.backend.clock.set(instant);
const metered = (limit: string, more: object = {}) => ({
  type: 'metered',
  feature: { id: t.calls.id },
  usage_period: { interval: 'P1M', anchor: '2026-03-01T00:00:00Z' },
  issue: { amount: limit },
  ...more,
});

async function newMetered(limit: string, more: object = {}) {
  at('2026-03-10T10:00:00Z');
  const customer = await t.newCustomer();
  const { json } = await t.post(`/customers/${customer.id}/entitlements`, metered(limit, more));
  const path = `/customers/${customer.id}/entitlements/${json.id}`;
  const value = async (query = '') => (await t.get(`${path}/value?expand=value${query}`)).json;
  return { customer, entitlement: json, path, value };
}

describe('a metered entitlement', () => {
  it('is used up by events and filled up when its period ends; late events count where they belong', async () => {
    const { customer, entitlement, value } = await newMetered('10');
    expect(entitlement).toMatchObject({
      type: 'metered',
      feature: { key: 'api_calls' },
      issue: { amount: '10', priority: 1 },
      usage_period: { interval: 'P1M', anchor: '2026-03-01T00:00:00Z' },
      current_usage_period: { from: '2026-03-10T10:00:00Z', to: '2026-04-01T00:00:00Z' },
      measure_usage_from: '2026-03-10T10:00:00Z',
      active_from: '2026-03-10T10:00:00Z',
    });
    await t.use('call', customer.key, '2026-03-10T10:00:20Z', 9);
    at('2026-03-10T10:00:30Z');
    expect(await value()).toMatchObject({ has_access: true, value: { balance: '1', usage: '9', overage: '0' } });
    await t.use('call', customer.key, '2026-03-10T10:00:29Z', 2);
    expect(await value()).toMatchObject({
      has_access: false,
      value: { balance: '0', usage: '11', overage: '1', total_available_grant_amount: '10' },
    });
    at('2026-04-01T00:00:01Z');
    expect(await value()).toMatchObject({ has_access: true, value: { balance: '10', usage: '0', overage: '0' } });
    await t.use('call', customer.key, '2026-03-31T23:59:59Z', 5);
    await t.use('call', customer.key, '2026-04-01T00:00:00Z', 3);
    expect(await value()).toMatchObject({ value: { balance: '7', usage: '3' } });
    expect(await value('&at=2026-03-31T23:59:59Z')).toMatchObject({
      value: { balance: '0', usage: '16', overage: '6' },
    });
  });

  it('has back what events took that are made void', async () => {
    const { customer, value } = await newMetered('3');
    await t.use('call', customer.key, '2026-03-10T10:00:20Z', 4);
    at('2026-03-10T10:05:00Z');
    expect(await value()).toMatchObject({ has_access: false, value: { balance: '0', overage: '1' } });
    const filter = { subject: { eq: customer.key } };
    await t.post('/events/corrections', { action: 'void', reason: 'a loop in a test', filter });
    expect(await value()).toMatchObject({ has_access: true, value: { balance: '3', usage: '0', overage: '0' } });
  });

  it('gives access beyond a soft limit and none with a hard limit of zero', async () => {
    const soft = await newMetered('0', { is_soft_limit: true });
    const hard = await newMetered('0');
    expect(await soft.value()).toMatchObject({ has_access: true, value: { balance: '0' } });
    expect(await hard.value()).toMatchObject({ has_access: false, value: { balance: '0', grant_balances: {} } });
  });

  it('lets grants add to it, in the order of their priority, until they are voided', async () => {
    const { customer, path, value } = await newMetered('5');
    const grant = await t.post(`${path}/grants`, { amount: '2.5', effective_at: '2026-03-10T10:00:59Z', priority: 2 });
    expect(grant.json).toMatchObject({
      amount: '2.5',
      effective_at: '2026-03-10T10:00:00Z',
      max_rollover_amount: '2.5',
      min_rollover_amount: '0',
    });
    await t.use('call', customer.key, '2026-03-10T11:00:00Z', 6);
    at('2026-03-10T12:00:00Z');
    expect(await value()).toMatchObject({ value: { balance: '1.5', grant_balances: { [grant.json.id]: '1.5' } } });
    expect((await t.backend.request('DELETE', `/grants/${grant.json.id}?voided_at=2026-03-10T13:00:00Z`)).status).toBe(
      400,
    );
    expect((await t.backend.request('DELETE', `/grants/${grant.json.id}`)).status).toBe(204);
    at('2026-03-10T12:05:00Z');
    expect(await value()).toMatchObject({ has_access: false, value: { balance: '0', usage: '6' } });
    expect((await t.backend.request('DELETE', `/grants/${grant.json.id}`)).status).toBe(400);
    const { json } = await t.get(`${path}/grants`);
    expect(json.data).toHaveLength(2);
    expect(json.data[1]).toMatchObject({ id: grant.json.id, voided_at: '2026-03-10T12:00:00Z' });
  });

  it('says what is left beside the latest value, and does not add values up', async () => {
    const body = {
      name: 'Seats',
      key: 'seats',
      event_type: 'prompt',
      aggregation: 'latest',
      value_property: '$.tokens',
    };
    const meter = (await t.post('/meters', body)).json;
    const feature = (await t.post('/features', { name: 'Seats', key: 'seats', meter: { id: meter.id } })).json;
    const customer = await t.newCustomer(['seated']);
    at('2026-03-10T10:00:00Z');
    const entitlement = { ...metered('100'), feature: { id: feature.id } };
    const { id } = (await t.post(`/customers/${customer.id}/entitlements`, entitlement)).json;
    const path = `/customers/${customer.id}/entitlements/${id}`;
    await t.use('prompt', 'seated', '2026-03-10T10:10:00Z', 1, '10');
    at('2026-03-10T10:20:00Z');
    await t.post(`${path}/grants`, { amount: '90', effective_at: '2026-03-10T10:20:00Z' });
    await t.use('prompt', 'seated', '2026-03-10T10:30:00Z', 1, '15');
    at('2026-03-10T10:40:00Z');
    const { value } = (await t.get(`${path}/value?expand=value`)).json;
    expect(value).toMatchObject({ usage: '15', balance: '175', total_available_grant_amount: '190' });
  });

  it('says when a grant expires and recurs', async () => {
    const { path } = await newMetered('5');
    const { json } = await t.post(`${path}/grants`, {
      amount: '1',
      effective_at: '2026-03-10T10:00:00Z',
      expires_after: 'P1M',
      recurrence: { interval: 'P1W' },
    });
    expect(json).toMatchObject({
      expires_at: '2026-04-10T10:00:00Z',
      recurrence: { interval: 'P1W', anchor: '2026-03-10T10:00:00Z' },
      next_recurrence: '2026-03-17T10:00:00Z',
    });
    // By its rule alone: the grant does not live to see it.
    const short = { amount: '1', effective_at: '2026-03-10T10:00:00Z', expires_after: 'P1W' };
    const monthly = await t.post(`${path}/grants`, { ...short, recurrence: { interval: 'P1M' } });
    expect(monthly.json).toMatchObject({
      expires_at: '2026-03-17T10:00:00Z',
      next_recurrence: '2026-04-10T10:00:00Z',
    });
    await t.post(`${path}/grants`, { amount: '1', effective_at: '2026-03-10T09:00:00Z' }, 400);
    await t.post(`${path}/grants`, { amount: '0', effective_at: '2026-03-10T10:00:00Z' }, 400);
    await t.post(`${path}/grants`, { amount: '1', effective_at: '2026-03-10T10:00:00Z', expires_after: 'P1M2D' }, 400);
  });

  it('is reset by hand, with or without its overage and its anchor', async () => {
    const { customer, path, value } = await newMetered('10');
    await t.use('call', customer.key, '2026-03-12T00:00:00Z', 13);
    at('2026-03-12T08:00:30Z');
    await t.post(`${path}/reset`, { preserve_overage: true, retain_anchor: true }, 204);
    expect(await value()).toMatchObject({ has_access: true, value: { balance: '7', usage: '0', overage: '0' } });
    expect((await t.get(path)).json).toMatchObject({
      current_usage_period: { from: '2026-03-12T08:00:00Z', to: '2026-04-01T00:00:00Z' },
    });
    await t.post(`${path}/reset`, {}, 400);
    await t.post(`${path}/reset`, { effective_at: '2026-03-12T07:00:00Z' }, 400);
    await t.post(`${path}/reset`, { effective_at: '2026-03-13T00:00:00Z' }, 400);
    at('2026-03-15T12:00:00Z');
    expect((await t.backend.request('POST', `${path}/reset`)).status).toBe(204);
    expect(await value()).toMatchObject({ value: { balance: '10' } });
    expect((await t.get(path)).json.current_usage_period.to).toBe('2026-04-15T12:00:00Z');
  });

  it('shows its history by hours and by stretches between changes', async () => {
    const { customer, path } = await newMetered('100');
    const grant = await t.post(`${path}/grants`, { amount: '50', effective_at: '2026-03-10T12:00:00Z', priority: 5 });
    await t.use('call', customer.key, '2026-03-10T10:30:00Z', 30);
    await t.use('call', customer.key, '2026-03-10T12:30:00Z', 80);
    at('2026-03-10T13:10:00Z');
    const { json } = await t.get(`${path}/history?window_size=PT1H`);
    expect(json.windowed_history).toEqual([
      { period: { from: '2026-03-10T10:00:00Z', to: '2026-03-10T11:00:00Z' }, usage: '30', balance_at_start: '100' },
      { period: { from: '2026-03-10T11:00:00Z', to: '2026-03-10T12:00:00Z' }, usage: '0', balance_at_start: '70' },
      { period: { from: '2026-03-10T12:00:00Z', to: '2026-03-10T13:00:00Z' }, usage: '80', balance_at_start: '120' },
      { period: { from: '2026-03-10T13:00:00Z', to: '2026-03-10T13:10:00Z' }, usage: '0', balance_at_start: '40' },
    ]);
    expect(json.burndown_history).toHaveLength(2);
    expect(json.burndown_history[1]).toMatchObject({
      period: { from: '2026-03-10T12:00:00Z', to: '2026-03-10T13:10:00Z' },
      usage: '80',
      balance: { start: '120', end: '40' },
      grant_balances: { end: { [grant.json.id]: '40' } },
    });
    await t.get(`${path}/history?window_size=PT1M`, 400);
    await t.get(`${path}/history?window_size=P1D&from=2026-03-01T00:00:00Z`, 400);
    await t.get(`${path}/history?window_size=P1D&time_zone=Mars/Base`, 400);
  });

  it('is overridden at one instant, and there is never a second one', async () => {
    const { customer, path, entitlement } = await newMetered('10');
    const conflict = await t.post(`/customers/${customer.id}/entitlements`, metered('1'), 409);
    expect(conflict.json.extensions).toEqual({ conflictingEntityId: entitlement.id });
    at('2026-03-10T11:00:00Z');
    const other = { ...metered('20'), feature: { id: t.tokens.id } };
    expect((await t.backend.request('PUT', `${path}/override`, { body: other })).status).toBe(400);
    const replaced = await t.backend.request('PUT', `${path}/override`, { body: metered('20') });
    expect(replaced.status).toBe(201);
    expect(replaced.json.active_from).toBe('2026-03-10T11:00:00Z');
    expect((await t.get(path)).json.active_to).toBe('2026-03-10T11:00:00Z');
    const ofType = (type: string) => t.get(`/customers/${customer.id}/entitlements?filter[type]=${type}`);
    expect((await ofType('metered')).json.data).toHaveLength(1);
    expect((await ofType('static')).json.data).toEqual([]);
    const refused = await t.backend.request('GET', `/customers/${customer.id}/entitlements?filter[type]=number`);
    expect(refused.json.invalid_parameters).toMatchObject([
      { field: 'filter[type]', reason: 'must be one of boolean, static, metered' },
    ]);
    const list = await t.get(`/customers/${customer.id}/entitlements`);
    expect(list.json.data.map(({ id }: { id: string }) => id)).toEqual([replaced.json.id]);
    expect((await t.backend.request('DELETE', path)).status).toBe(404);
    const now = `/customers/${customer.id}/entitlements/${replaced.json.id}`;
    expect((await t.backend.request('DELETE', `/customers/${customer.id}`)).status).toBe(400);
    const grantsOf = async (query = '') =>
      (await t.get(`/grants?filter[customer_id]=${customer.id}${query}`)).json.data.map(
        ({ entitlement_id: id }: { entitlement_id: string }) => id,
      );
    expect(await grantsOf()).toEqual([entitlement.id, replaced.json.id]);
    expect((await t.backend.request('DELETE', now)).status).toBe(204);
    expect(await grantsOf()).toEqual([entitlement.id]);
    expect(await grantsOf('&include_deleted=true')).toEqual([entitlement.id, replaced.json.id]);
    await t.get('/grants?include_deleted=perhaps', 400);
    expect((await t.get(`${now}/grants`)).json.data).toEqual([]);
    expect((await t.get(`${now}/grants?include_deleted=true`)).json.data).toHaveLength(1);
    expect((await t.get(`${now}/value`)).json).toEqual({
      feature_key: 'api_calls',
      has_access: false,
      type: 'metered',
    });
    expect((await t.backend.request('DELETE', `/customers/${customer.id}`)).status).toBe(204);
  });

  it('refuses what cannot work, and says which field', async () => {
    const customer = await t.newCustomer();
    const path = `/customers/${customer.id}/entitlements`;
    const fieldOf = async (body: unknown) => (await t.post(path, body, 400)).json.invalid_parameters[0].field;
    expect(await fieldOf({ ...metered('1'), feature: { id: t.flag.id } })).toBe('feature.id');
    expect(await fieldOf({ ...metered('1'), usage_period: { interval: 'PT30M' } })).toBe('usage_period.interval');
    expect(await fieldOf({ ...metered('-1') })).toBe('issue.amount');
    expect(await fieldOf(metered('1', { grants: [] }))).toBe('grants');
    expect(await fieldOf(metered('1', { measure_usage_from: '2027-01-01T00:00:00Z' }))).toBe('measure_usage_from');
    expect(await fieldOf({ type: 'static', feature: { id: t.flag.id } })).toBe('config');
    expect(await fieldOf({ type: 'boolean', feature: { id: '01HZZZZZZZZZZZZZZZZZZZZZZZ' } })).toBe('feature.id');
    await t.post('/customers/01HZZZZZZZZZZZZZZZZZZZZZZZ/entitlements', metered('1'), 404);
    const { json } = await t.post(path, { type: 'boolean', feature: { id: t.flag.id } });
    await t.post(`${path}/${json.id}/reset`, {}, 400);
  });
});

describe('of customers on test clocks', () => {
  it('those in force at their own now are listed, beside those of customers in real time', async () => {
    at('2026-03-10T10:00:00Z');
    const flag = { type: 'boolean', feature: { id: t.flag.id } };
    const give = async (now?: string) => {
      const customer = await t.newCustomer();
      const clock = `/customers/${customer.id}/test-clock`;
      if (now !== undefined) await t.backend.request('PUT', clock, { body: { now } });
      const { id } = (await t.post(`/customers/${customer.id}/entitlements`, flag)).json;
      return { customerId: customer.id, clock, id };
    };
    const [later, real, earlier] = [
      await give('2027-01-01T00:00:00Z'),
      await give(),
      await give('2025-01-01T00:00:00Z'),
    ];
    const list = async (path: string) => (await t.get(path)).json.data.map(({ id }: { id: string }) => id);
    const all = [later, real, earlier];
    for (const { customerId, id } of all) expect(await list(`/customers/${customerId}/entitlements`)).toEqual([id]);
    expect((await list('/entitlements?page[size]=1000')).sort()).toEqual(
      expect.arrayContaining(all.map(({ id }) => id)),
    );
    // It ends in its customer's time, whatever the time elsewhere.
    await t.backend.request('DELETE', `/customers/${later.customerId}/entitlements/${later.id}`);
    await t.post(`${later.clock}/advance`, { by: 'PT1H' }, 200);
    expect(await list(`/customers/${later.customerId}/entitlements`)).toEqual([]);
  });
});

describe('balances in decimals', () => {
  it('are exact', async () => {
    at('2026-03-10T10:00:00Z');
    const customer = await t.newCustomer();
    const body = { ...metered('0.3'), feature: { id: t.tokens.id }, measure_usage_from: 'current_period_start' };
    const { json } = await t.post(`/customers/${customer.id}/entitlements`, body);
    expect(json.measure_usage_from).toBe('2026-03-01T00:00:00Z');
    await t.use('prompt', customer.key, '2026-03-09T00:00:00Z', 2, '0.1');
    const value = await t.get(`/customers/${customer.id}/entitlement-access/features/llm_tokens/value?expand=value`);
    expect(value.json).toMatchObject({ type: 'metered', has_access: true, value: { balance: '0.1', usage: '0.2' } });
  });
});
