import { expect, test } from 'vitest';
import { fee, openStory, usage } from '../../../scenarios/billing/story.ts';
import { flatCharge, usageCharge } from '../../../support/billing/charges.ts';

const JANUARY = '2026-01-01T00:00:00Z';
const FEBRUARY = '2026-02-01T00:00:00Z';

/** A customer whose plan is paid from credits alone. */
async function story() {
  const s = await openStory(JANUARY);
  const credits = `/customers/${s.customer.id}/credits`;
  return {
    ...s,
    grant: (amount: string, fields: object = {}) =>
      s.ok('POST', `${credits}/grants`, {
        name: `G${amount}`,
        funding_method: 'none',
        currency: 'USD',
        amount,
        ...fields,
      }),
    balance: async () => {
      const { balances } = await s.ok('GET', `${credits}/balance`);
      return `${balances[0].settled} ${balances[0].live}`;
    },
    rows: async () =>
      (await s.ok('GET', `${credits}/transactions`)).data.map(
        ({ type, amount, name, booked_at }: Record<string, string>) =>
          `${booked_at?.slice(0, 10)} ${type} ${name} ${amount}`,
      ),
  };
}

test('usage runs the balance below zero; the next grant pays, what expires is gone, late usage is counted', async () => {
  const s = await story();
  try {
    await s.grant('10');
    const plan = await s.plan('p', [usage({ type: 'unit', amount: '1' })]);
    await s.subscribe(plan, { settlement_mode: 'credit_only' });
    await s.events('2026-01-10T00:00:00Z', 8);
    await s.at('2026-01-11T00:00:00Z');
    // Once a day what was used so far is drawn.
    expect(await s.balance()).toBe('2 2');
    await s.events('2026-01-11T12:00:00Z', 7);
    s.backend.clock.set('2026-01-11T13:00:00Z');
    expect(await s.balance()).toBe('2 -5');
    await s.at(FEBRUARY);
    expect(await s.balance()).toBe('-5 -5');
    await s.at('2026-02-05T00:00:00Z');
    await s.grant('12', { expires_after: 'P7D' });
    expect(await s.balance()).toBe('7 7');
    await s.events('2026-01-31T00:00:00Z', 2);
    await s.at('2026-02-06T00:00:00Z');
    // The late ones belong to January, which credit of February does not pay; it pays the debt that they leave.
    expect(await s.balance()).toBe('5 5');
    await s.at('2026-02-13T00:00:00Z');
    expect(await s.balance()).toBe('0 0');
    expect(await s.invoices()).toEqual([]);
    expect(await s.rows()).toEqual([
      '2026-02-12 expired G12 -5',
      '2026-02-06 consumed Calls -2',
      '2026-02-05 funded G12 12',
      '2026-02-01 consumed Calls -5',
      '2026-02-01 consumed Calls -2',
      '2026-01-11 consumed Calls -8',
      '2026-01-01 funded G10 10',
    ]);
  } finally {
    await s.close();
  }
});

test('a fee is taken when it falls due; what a change of plan makes of it is drawn or given back', async () => {
  const s = await story();
  try {
    await s.grant('100');
    const plan = await s.plan('p', [{ ...fee('31'), payment_term: 'in_advance' }]);
    const { id } = await s.subscribe(plan, { settlement_mode: 'credit_only' });
    await s.at(JANUARY);
    expect(await s.balance()).toBe('69 69');
    await s.at('2026-01-11T00:00:00Z');
    await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
    await s.at('2026-01-12T00:00:00Z');
    expect(await s.balance()).toBe('90 90');
    expect(await s.invoices()).toEqual([]);
  } finally {
    await s.close();
  }
});

test('charges of a person are paid from credits as well; both modes draw on one balance', async () => {
  const s = await story();
  try {
    await s.grant('100');
    const charges = `/customers/${s.customer.id}/charges`;
    const { data } = await s.ok('GET', '/features');
    const feature = data.find(({ key }: { key: string }) => key === 'calls');
    const price = { type: 'unit', amount: '1' };
    await s.ok('POST', charges, usageCharge(feature.id, JANUARY, FEBRUARY, { price, settlement_mode: 'credit_only' }));
    await s.ok('POST', charges, flatCharge('80', FEBRUARY, { settlement_mode: 'credit_only' }));
    await s.ok('POST', charges, flatCharge('30', FEBRUARY));
    await s.events('2026-01-10T00:00:00Z', 15);
    await s.at(FEBRUARY);
    const [invoice] = await s.invoices();
    expect(invoice.totals).toMatchObject({ amount: '30', credits_total: '5', total: '25' });
    expect(await s.balance()).toBe('0 0');
  } finally {
    await s.close();
  }
});
