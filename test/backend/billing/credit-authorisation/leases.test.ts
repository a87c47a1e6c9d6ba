import { afterAll, beforeAll, expect, test } from 'vitest';
import { Decimal, sumDecimals } from '../../../../backend/platform/decimal.ts';
import { type CreditUnderTest, startCredit } from './support.ts';

let t: CreditUnderTest;
let plan: string;
beforeAll(async () => {
  t = await startCredit();
  await t.feature('calls', { type: 'unit', amount: '1' });
  await t.feature('mails', { type: 'unit', amount: '0.5' });
  plan = await t.plan();
});
afterAll(() => t.backend.close());

const ask = (node: string, key: string, turn: number, outstanding: string, wanted: string, feature = 'calls') =>
  t.lease(node, feature, { key, turn, outstanding, wanted });
const leased = async (customerId: string) => (await t.ok('GET', `/customers/${customerId}/credits/leases`)).data;

test('what a node was given is nobody else’s until it is used, given back or lapses', async () => {
  const id = await t.customer('alice', plan, [['100']]);
  const first = await ask('one', 'alice', 1, '0', '30');
  expect(first).toMatchObject({
    has_access: true,
    credit: { units_left: '70', leases: [{ customer_key: 'alice', units: '30', valid_for_ms: 20_000 }] },
  });
  expect((await t.balance('alice', 'calls')).credit).toMatchObject({ amount_left: '70', units_left: '70' });
  // The other feature is paid from the same.
  expect((await t.balance('alice', 'mails')).credit).toMatchObject({ units_left: '140' });
  // Of 70, a second node is given half of its half.
  expect((await ask('two', 'alice', 1, '0', '100')).credit).toMatchObject({
    units_left: '53',
    leases: [{ units: '17' }],
  });
  // 12 were used and have arrived, 5 are given back.
  await t.use('alice', 'calls', 12);
  expect((await ask('one', 'alice', 2, '13', '0')).credit).toMatchObject({
    units_left: '58',
    leases: [{ units: '13' }],
  });
  expect(await leased(id)).toMatchObject([
    { feature_key: 'calls', node: 'one', customer_key: 'alice', units: '13' },
    { node: 'two', units: '17' },
  ]);
  // A question that was overtaken on its way changes nothing.
  expect((await ask('one', 'alice', 1, '30', '30')).credit).toEqual(expect.objectContaining({ leases: [] }));
  expect(await leased(id)).toHaveLength(2);
  t.backend.clock.advanceMs(60_000);
  expect(await leased(id)).toEqual([]);
  expect((await t.balance('alice', 'calls')).credit).toMatchObject({ units_left: '88' });
  expect((await ask('three', 'alice', 1, '0', '500')).credit).toMatchObject({
    units_left: '0',
    leases: [{ units: '88' }],
  });
  expect(await t.balance('alice', 'calls')).toMatchObject({
    has_access: false,
    reason: { code: 'no_credit_available' },
  });
  expect((await ask('three', 'alice', 2, '0', '0')).credit).toMatchObject({ leases: [{ units: '0' }] });
  expect(await leased(id)).toEqual([]);
});

test('many nodes at once are given no more than there is, whatever they use meanwhile', async () => {
  await t.customer('bob', plan, [['100']]);
  const nodes = Array.from({ length: 8 }, (_, index) => ({ name: `node-${index}`, turn: 0, held: new Decimal(0) }));
  let used = 0;
  for (let round = 0; round < 6; round++) {
    await Promise.all(
      nodes.map(async (node, index) => {
        node.turn += 1;
        const { credit } = await ask(node.name, 'bob', node.turn, node.held.toFixed(), String(5 + index));
        node.held = new Decimal(credit.leases[0].units);
        // Some of it passes, and its events arrive before the next question.
        const passes = Math.min(node.held.toNumber(), round + 1);
        if (passes > 0) await t.use('bob', 'calls', passes);
        used += passes;
        node.held = node.held.sub(passes);
      }),
    );
    expect(
      sumDecimals(nodes.map(({ held }) => held))
        .add(used)
        .lte(100),
    ).toBe(true);
  }
  expect(used).toBeGreaterThan(80);
});

test('who has nothing to pay is let through without a lease, and who may not use the feature gets none', async () => {
  await t.ok('POST', '/customers', { key: 'guest', name: 'Guest' });
  expect(await ask('one', 'guest', 1, '0', '5')).toMatchObject({
    has_access: false,
    reason: { code: 'feature_unavailable' },
  });
  const { json, status } = await t.backend.request('POST', '/entitlement-access/leases', {
    body: {
      node: 'a b',
      feature: { key: 'calls' },
      customers: [{ key: 'guest', turn: 1, outstanding: '-1', wanted: '1' }],
    },
  });
  expect(status).toBe(400);
  expect(JSON.stringify(json)).toContain('customers.0.outstanding');
});
