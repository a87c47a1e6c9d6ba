import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCustomers } from '../../../../backend/customers/customers/index.ts';
import {
  createTestClocksService,
  customerScope,
  nowByCustomer,
} from '../../../../backend/customers/test-clocks/index.ts';
import { DomainProblem } from '../../../../backend/platform/errors.ts';
import { UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

describe('the operations', () => {
  let t: TestBackend;
  let customers = 0;
  beforeAll(async () => {
    t = await createTestBackend({ start: '2026-01-31T10:00:00Z' });
  });
  afterAll(() => t.close());
  const customer = async () => {
    const key = `clocked-${customers++}`;
    return (await t.request('POST', '/customers', { body: { key, name: key } })).json.id as string;
  };
  const path = (id: string) => `/customers/${id}/test-clock`;

  test('a customer lives in real time until it is put on a test clock, which stands still', async () => {
    const id = await customer();
    expect(await t.request('GET', path(id))).toMatchObject({ status: 404 });
    const put = await t.request('PUT', path(id), { body: { now: '2025-06-01T02:00:00+02:00' } });
    expect(put).toMatchObject({ status: 200, json: { customer_id: id, now: '2025-06-01T00:00:00Z' } });
    t.clock.advanceMs(5_000);
    expect((await t.request('GET', path(id))).json).toEqual(put.json);
  });

  test('it moves by calendar durations and to instants, forward only', async () => {
    const id = await customer();
    await t.request('PUT', path(id), { body: { now: '2026-01-31T00:00:00Z' } });
    const advance = (body: unknown) => t.request('POST', `${path(id)}/advance`, { body });
    expect((await advance({ by: 'P1M' })).json).toMatchObject({ now: '2026-02-28T00:00:00Z' });
    expect((await advance({ to: '2026-03-31T12:00:00Z' })).json).toMatchObject({ now: '2026-03-31T12:00:00Z' });
    expect(await advance({ to: '2026-03-31T11:59:59Z' })).toMatchObject({
      status: 400,
      json: { invalid_parameters: [{ field: 'to', reason: expect.stringContaining('forward only') }] },
    });
    expect(await advance({ by: 'P2Y' })).toMatchObject({
      status: 400,
      json: { invalid_parameters: [{ field: 'by' }] },
    });
    expect(await advance({})).toMatchObject({ status: 400 });
    expect(await advance({ to: '2026-04-01T00:00:00Z', by: 'P1D' })).toMatchObject({ status: 400 });
    expect(await t.request('PUT', path(id), { body: { now: '2500-01-01T00:00:00Z' } })).toMatchObject({ status: 400 });
    expect((await t.request('GET', path(id))).json).toMatchObject({ now: '2026-03-31T12:00:00Z' });
  });

  test('without a past, a customer may be put on another time, or back into the real one', async () => {
    const id = await customer();
    await t.request('PUT', path(id), { body: { now: '2027-01-01T00:00:00Z' } });
    const earlier = await t.request('PUT', path(id), { body: { now: '2020-01-01T00:00:00Z' } });
    expect(earlier.json).toMatchObject({ now: '2020-01-01T00:00:00Z' });
    expect(await t.request('DELETE', path(id))).toMatchObject({ status: 204 });
    expect(await t.request('DELETE', path(id))).toMatchObject({ status: 204 });
    expect(await t.request('GET', path(id))).toMatchObject({ status: 404 });
  });

  test('with charges of its own it keeps the time it has', async () => {
    const id = await customer();
    await t.request('PUT', path(id), { body: { now: '2026-05-01T00:00:00Z' } });
    const charge = {
      type: 'flat_fee',
      name: 'Set-up',
      currency: 'USD',
      invoice_at: '2026-05-02T00:00:00Z',
      service_period: { from: '2026-05-01T00:00:00Z', to: '2026-06-01T00:00:00Z' },
      settlement_mode: 'credit_then_invoice',
      payment_term: 'in_advance',
      proration_configuration: { mode: 'no_proration' },
      amount_before_proration: { amount: '10', currency: 'USD' },
    };
    expect(await t.request('POST', `/customers/${id}/charges`, { body: charge })).toMatchObject({ status: 201 });
    const refused = { status: 409, json: { detail: expect.stringContaining('has charges and keeps the time') } };
    expect(await t.request('DELETE', path(id))).toMatchObject(refused);
    const other = await customer();
    expect(await t.request('POST', `/customers/${other}/charges`, { body: charge })).toMatchObject({ status: 201 });
    expect(await t.request('PUT', path(other), { body: { now: '2027-01-01T00:00:00Z' } })).toMatchObject(refused);
    expect(await t.request('POST', `${path(id)}/advance`, { body: { by: 'P1D' } })).toMatchObject({ status: 200 });
  });

  test('they are listed, all or those of some customers', async () => {
    const ids = [await customer(), await customer()];
    for (const id of ids) await t.request('PUT', path(id), { body: { now: '2026-05-01T00:00:00Z' } });
    const list = (query: string) => t.request('GET', `/test-clocks?${query}`);
    const one = await list(`filter[customer_id]=${ids[1]}`);
    expect(one.json.data).toEqual([(await t.request('GET', path(ids[1] ?? ''))).json]);
    expect((await list(`filter[customer_id]=${await customer()}`)).json.data).toEqual([]);
    const both = await list(`filter[customer_id][oeq]=${ids.join()}&page[size]=1&page[number]=2`);
    expect(both.json).toMatchObject({ data: [{ customer_id: ids[1] }], meta: { page: { total: 2 } } });
    expect(await list('filter[customer_id]=nobody')).toMatchObject({ status: 400 });
  });

  test('unknown customers, deleted ones and readers are refused', async () => {
    const body = { now: '2027-01-01T00:00:00Z' };
    expect(await t.request('PUT', path(UNKNOWN_ID), { body })).toMatchObject({ status: 404 });
    expect(await t.request('GET', path(UNKNOWN_ID))).toMatchObject({ status: 404 });
    expect(await t.request('POST', `${path(UNKNOWN_ID)}/advance`, { body: { by: 'P1D' } })).toMatchObject({
      status: 404,
    });
    const id = await customer();
    expect(await t.request('PUT', path(id), { body, token: TOKENS.viewer })).toMatchObject({ status: 403 });
    expect(await t.request('PUT', path(id), { body: { now: 'tomorrow' } })).toMatchObject({ status: 400 });
    await t.request('DELETE', `/customers/${id}`);
    expect(await t.request('PUT', path(id), { body })).toMatchObject({ status: 410 });
  });
});

describe('what other modules see', () => {
  let t: CustomersUnderTest;
  const moves: [string, string][] = [];
  const busy = new Set<string>();
  const clocks = () =>
    createTestClocksService({
      scope: t.scope,
      hooks: {
        findCustomer: (id, scope) => createCustomers({ scope }).get(id),
        blocksTimeTravel: async (id) =>
          busy.has(id) ? new DomainProblem('resource-conflict', 'has a past') : undefined,
        onMove: async (id, nowMs) => {
          moves.push([id, new Date(nowMs).toISOString()]);
        },
      },
    });
  beforeAll(() => {
    t = startCustomers();
    t.clock.set('2026-05-05T05:05:05Z');
  });
  afterAll(() => t.close());

  test('its own time for the sandbox customer, the real one for everybody else', async () => {
    const [sandbox, other] = [await t.create('sandbox'), await t.create('other')];
    await clocks().put(sandbox.id, '2030-01-01T00:00:00Z');
    const now = async (id: string) => new Date((await customerScope(t.scope, id)).clock.nowMs()).toISOString();
    expect(await now(sandbox.id)).toBe('2030-01-01T00:00:00.000Z');
    expect(await now(other.id)).toBe('2026-05-05T05:05:05.000Z');
    const all = await nowByCustomer(t.scope);
    expect([all.of(sandbox.id), all.of(other.id)]).toEqual([Date.parse('2030-01-01'), t.clock.nowMs()]);
  });

  test('time passes a day at a time; moving to where it stands does what is due once more', async () => {
    const { id } = await t.create('by-days');
    await clocks().put(id, '2026-02-27T18:00:00Z');
    moves.length = 0;
    await clocks().advance(id, { to: '2026-03-02T06:00:00Z' });
    await clocks().advance(id, { to: '2026-03-02T06:00:00Z' });
    const passed = ['02-28T00', '03-01T00', '03-02T00', '03-02T06', '03-02T06'];
    expect(moves).toEqual(passed.map((at) => [id, `2026-${at}:00:00.000Z`]));
  });

  test('a customer with a past cannot change its time but forward, and never leaves the test clock', async () => {
    const { id } = await t.create('with-past');
    await clocks().put(id, '2026-01-01T00:00:00Z');
    busy.add(id);
    await expect(clocks().put(id, '2025-01-01T00:00:00Z')).rejects.toThrow('now: must not be before');
    await expect(clocks().remove(id)).rejects.toThrow('has a past');
    expect(await clocks().put(id, '2026-01-02T00:00:00Z')).toMatchObject({ now: '2026-01-02T00:00:00Z' });
    const { id: real } = await t.create('real-with-past');
    busy.add(real);
    await expect(clocks().put(real, '2026-01-01T00:00:00Z')).rejects.toThrow('has a past');
  });

  test('of two that move a clock at a time, one wins each day', async () => {
    const { id } = await t.create('contended');
    await clocks().put(id, '2026-01-01T00:00:00Z');
    const results = await Promise.allSettled([1, 2, 3].map(() => clocks().advance(id, { to: '2026-01-08T00:00:00Z' })));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason.message).toContain('was moved by another request');
    }
    expect(await clocks().get(id)).toMatchObject({ now: '2026-01-08T00:00:00Z' });
  });
});
