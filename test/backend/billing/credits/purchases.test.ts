import { expect, test } from 'vitest';
import { openStory } from '../../../scenarios/billing/story.ts';
import { flatCharge } from '../../../support/billing/charges.ts';
import { useProfile } from '../../../support/billing/invoices.ts';

const START = '2026-01-01T00:00:00Z';
const purchase = { currency: 'USD', per_unit_cost_basis: '0.5' };

async function shop() {
  const s = await openStory(START);
  const credits = `/customers/${s.customer.id}/credits`;
  const request = { name: 'Pack', funding_method: 'invoice', currency: 'USD', purchase };
  return {
    ...s,
    buy: (amount: string, fields: object = {}) => s.ok('POST', `${credits}/grants`, { ...request, amount, ...fields }),
    grant: (id: string) => s.ok('GET', `${credits}/grants/${id}`),
    settled: async () => (await s.ok('GET', `${credits}/balance`)).balances[0].settled,
  };
}

test('credit is bought by invoice, which no credit pays; it is there with the draft, and paid with the invoice', async () => {
  const s = await shop();
  try {
    await s.buy('100');
    const [first] = await s.invoices();
    expect(first).toMatchObject({ status: 'paid', totals: { credits_total: '0', total: '50' } });
    expect(first.lines[0].name).toBe('Pack (100 USD credits)');
    const bought = await s.buy('10', { name: 'More' });
    expect(bought).toMatchObject({ status: 'active', purchase: { amount: '5', settlement_status: 'settled' } });
    const invoices = await s.invoices();
    expect(invoices.map(({ totals }) => totals.total)).toEqual(['50', '5']);
    expect(bought.invoice).toEqual({ id: invoices[1].id, line: { id: invoices[1].lines[0].id } });
    expect(await s.settled()).toBe('110');
  } finally {
    await s.close();
  }
});

test('when its invoice goes, what is unused goes, and what was used takes the balance below zero', async () => {
  const s = await shop();
  try {
    await useProfile(s.backend, s.customer.id, { invoicing: { auto_advance: false } });
    const bought = await s.buy('30');
    expect(bought).toMatchObject({ status: 'active', purchase: { settlement_status: 'pending' } });
    await s.ok('POST', `/customers/${s.customer.id}/charges`, flatCharge('12', START));
    await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    expect(await s.settled()).toBe('18');
    await s.ok('DELETE', `/billing/invoices/${bought.invoice.id}`);
    expect(await s.settled()).toBe('-12');
    expect(await s.grant(bought.id)).toMatchObject({ status: 'voided', purchase: { settlement_status: 'pending' } });
  } finally {
    await s.close();
  }
});
