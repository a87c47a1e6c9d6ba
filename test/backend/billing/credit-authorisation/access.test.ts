import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CreditUnderTest, startCredit } from './support.ts';

let t: CreditUnderTest;
let plan: string;
let features: Record<string, string>;
beforeAll(async () => {
  t = await startCredit();
  features = {
    calls: await t.feature('calls', { type: 'unit', amount: '1' }),
    mails: await t.feature('mails', { type: 'unit', amount: '0.001' }),
    packs: await t.feature(
      'packs',
      { type: 'unit', amount: '10' },
      {
        card: { unit_config: { operation: 'divide', conversion_factor: '100', rounding: 'ceiling' } },
      },
    ),
    invoiced: await t.feature('invoiced', { type: 'unit', amount: '5' }, { stops: false }),
  };
  plan = await t.plan();
});
afterAll(() => t.backend.close());

const query = async (key: string, feature: string, include_credits?: boolean) => {
  const body = {
    ...(include_credits !== undefined && { include_credits }),
    customer: { keys: [key] },
    feature: { keys: [feature] },
  };
  return (await t.ok('POST', '/entitlement-access/query', body)).data[0].features[feature];
};

test('credit falls with usage until nothing is left, and a grant lets more through', async () => {
  const id = await t.customer('alice', plan, [['10']]);
  expect(await t.balance('alice', 'calls')).toMatchObject({
    has_access: true,
    credit: {
      currency: 'USD',
      amount_left: '10',
      units_left: '10',
      next_unit_cost: '1',
      meter: { event_type: 'calls', aggregation: 'count' },
    },
  });
  await t.use('alice', 'calls', 7);
  expect((await t.balance('alice', 'calls')).credit).toMatchObject({ amount_left: '3', units_left: '3' });
  await t.use('alice', 'calls', 3);
  expect(await t.balance('alice', 'calls')).toMatchObject({
    has_access: false,
    reason: { code: 'no_credit_available' },
    credit: { amount_left: '0', units_left: '0' },
  });
  expect(await query('alice', 'calls', true)).toMatchObject({
    has_access: false,
    reason: { code: 'no_credit_available' },
  });
  // Nobody who does not ask for credit is told of it.
  expect(await query('alice', 'calls')).toEqual({ has_access: true });
  expect(await query('alice', 'calls', false)).toEqual({ has_access: true });
  await t.grant(id, '2');
  expect((await t.balance('alice', 'calls')).credit).toMatchObject({ units_left: '2' });
});

test('features that are paid by the same credit share it, also in parts of a cent', async () => {
  await t.customer('bob', plan, [['20'], ['1', { filters: { features: ['mails'] } }]]);
  await t.use('bob', 'calls', 12);
  await t.use('bob', 'mails', 1001);
  // 12 of the calls and 0.001 of the mails, whose own credit goes first.
  expect((await t.balance('bob', 'calls')).credit).toMatchObject({ amount_left: '7.999', units_left: '7' });
  expect((await t.balance('bob', 'mails')).credit).toMatchObject({ amount_left: '7.999', units_left: '7999' });
  expect((await t.balance('bob', 'packs')).credit).toMatchObject({ units_left: '0' });
});

test('what is invoiced is not stopped, and draws from the credit of what is', async () => {
  await t.customer('carol', plan, [['10']]);
  await t.use('carol', 'invoiced', 1);
  expect(await t.balance('carol', 'invoiced')).toEqual({ has_access: true, type: 'boolean' });
  expect((await t.balance('carol', 'calls')).credit).toMatchObject({ amount_left: '5', units_left: '5' });
  await t.use('carol', 'invoiced', 7);
  expect((await t.balance('carol', 'calls')).has_access).toBe(false);
  expect(await t.balance('carol', 'invoiced')).toEqual({ has_access: true, type: 'boolean' });
});

test('whether a feature stops is said by the seller, and recorded', async () => {
  await t.customer('dora', plan);
  const path = `/features/${features['invoiced']}/credit-stop`;
  expect(await t.ok('GET', path)).toEqual({ stops_without_credit: false });
  expect(await t.ok('PUT', path, { stops_without_credit: true })).toEqual({ stops_without_credit: true });
  expect(await t.balance('dora', 'invoiced')).toMatchObject({ has_access: false, credit: { units_left: '0' } });
  await t.ok('PUT', path, { stops_without_credit: false });
  expect(await t.ok('GET', path)).toEqual({ stops_without_credit: false });
  expect((await t.balance('dora', 'invoiced')).has_access).toBe(true);
  expect(
    (
      await t.backend.request('PUT', '/features/01HZZZZZZZZZZZZZZZZZZZZZZZ/credit-stop', {
        body: { stops_without_credit: true },
      })
    ).status,
  ).toBe(404);
  const { data } = await t.ok('GET', '/audit-log?page[size]=3');
  expect(JSON.stringify(data)).toContain('credit-stop');
});

test('what costs nothing is let through by whoever has no credit, and one who owes is not', async () => {
  const freeTier = [
    { up_to_amount: '2', unit_price: { type: 'unit', amount: '0' } },
    { unit_price: { type: 'unit', amount: '1' } },
  ];
  await t.feature('tiered', { type: 'graduated', tiers: freeTier });
  const free = await t.plan();
  const id = await t.customer('emil', free);
  expect((await t.balance('emil', 'tiered')).credit).toMatchObject({ amount_left: '0', units_left: '2' });
  await t.use('emil', 'tiered', 2);
  expect((await t.balance('emil', 'tiered')).has_access).toBe(false);
  await t.ok('POST', `/customers/${id}/credits/adjustments`, { name: 'Owed', currency: 'USD', amount: '-3' });
  expect((await t.balance('emil', 'tiered')).credit).toMatchObject({ amount_left: '-3', units_left: '0' });
});

test('a new period is priced at once, before anybody was billed', async () => {
  await t.customer('frida', plan, [['3']]);
  await t.use('frida', 'calls', 1);
  t.backend.clock.set('2026-04-01T00:00:01Z');
  expect((await t.balance('frida', 'calls')).credit).toMatchObject({ amount_left: '2', units_left: '2' });
  await t.use('frida', 'calls', 2);
  expect((await t.balance('frida', 'calls')).has_access).toBe(false);
});

test('what is on a draft counts until it has drawn its credit, and not again after that', async () => {
  t.backend.clock.set('2026-05-10T00:00:00Z');
  const id = await t.customer('gerda', plan, [['10']]);
  await t.use('gerda', 'calls', 4);
  t.backend.clock.set('2026-06-10T00:00:01Z');
  const { runner } = t.backend.billingRuns;
  const bill = async () => {
    await runner.request({ isFull: true, startedBy: 'schedule' });
    expect(await runner.work()).toBe(true);
  };
  const left = async () => (await t.balance('gerda', 'calls')).credit;
  const invoices = async () => (await t.ok('GET', `/billing/invoices?filter[customer_id]=${id}`)).data;
  await bill();
  expect(await invoices()).toMatchObject([{ status: 'draft' }]);
  expect(await left()).toMatchObject({ amount_left: '6', units_left: '6' });
  await t.use('gerda', 'calls', 1);
  expect(await left()).toMatchObject({ amount_left: '5', units_left: '5' });
  t.backend.clock.set('2026-06-20T00:00:00Z');
  await bill();
  expect((await t.ok('GET', `/customers/${id}/credits/balance`)).balances).toMatchObject([{ settled: '6', live: '5' }]);
  expect(await left()).toMatchObject({ amount_left: '5', units_left: '5' });
});
