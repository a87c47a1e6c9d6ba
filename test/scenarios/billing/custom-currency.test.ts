import { expect, test } from 'vitest';
import { openStory, type Story, usage } from './story.ts';

const createCredits = (s: Story) =>
  s.ok('POST', '/currencies/custom', {
    code: 'CREDITS',
    name: 'Credits',
    symbol: '₡',
    precision: 1,
    decimal_mark: '.',
    thousand_separator: ',',
  });

test('409: what nobody has said the worth of in the currency of the invoices is not sold', async () => {
  const s = await openStory('2026-01-01T00:00:00Z', { currency: 'EUR' });
  const currency = await createCredits(s);
  const bases = `/currencies/custom/${currency.id}/cost-bases`;
  await s.ok('POST', bases, { fiat_code: 'USD', rate: '0.5' });
  const plan = await s.plan('credits', [usage('1')], { currency: 'CREDITS' });
  const sell = () =>
    s.backend.request('POST', '/subscriptions', {
      body: { customer: { id: s.customer.id }, plan: { id: plan.id } },
    });
  const refused = await sell();
  expect(refused.status).toBe(409);
  expect(refused.json.extensions.validationErrors[0]).toMatchObject({
    code: 'currency_cost_basis_not_found',
    field: 'plan',
    message: expect.stringMatching(/CREDITS.*EUR/),
  });
  await s.ok('POST', bases, { fiat_code: 'EUR', rate: '0.4' });
  expect((await sell()).status).toBe(201);
  await s.close();
});

test('a custom currency is billed with its own digits, as estimated', async () => {
  const s = await openStory('2026-01-01T00:00:00Z', { currency: 'USD' });
  const currency = await createCredits(s);
  const fee = { key: 'fee', name: 'Fee', billing_cadence: 'P1M', payment_term: 'in_advance' };
  const cards = [{ ...fee, price: { type: 'flat', amount: '10' } }, usage('0.333')];
  const plan = await s.plan('credits', cards, { currency: 'CREDITS' });
  const estimate = await s.ok('POST', '/cost-estimates', { plan: { id: plan.id }, quantities: { calls: '5' } });
  expect(estimate.totals).toMatchObject([{ currency: 'CREDITS', total: '11.7' }]);
  await s.ok('POST', `/currencies/custom/${currency.id}/cost-bases`, { fiat_code: 'USD', rate: '0.5' });
  await s.subscribe(plan);
  await s.events('2026-01-10T00:00:00Z', 5);
  const next = await s.previewLine();
  expect(next).toBe('2026-01-01..2026-03-01 draft 11.7 CREDITS: Calls 5×0.333=1.7; Fee 1×10=10');
  expect(await s.previewLine('?currency=CREDITS')).toBe(next);
  expect((await s.preview('?currency=USD')).lines).toEqual([]);
  await s.at('2026-02-01T02:00:00Z');
  // January's fee in advance; then February's, and the calls of January.
  const { data } = await s.ok('GET', '/billing/revenue?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z');
  expect(data).toMatchObject([{ currency: 'CREDITS', invoices: 2, total: '21.7' }]);
  await s.close();
});

test('an invoice in a currency that does not exist is refused by name', async () => {
  const s = await openStory('2026-01-01T00:00:00Z');
  const path = `/customers/${s.customer.id}/invoice-preview?currency=XYZ`;
  expect(await s.backend.request('GET', path)).toMatchObject({ status: 400, text: expect.stringContaining('XYZ') });
  await s.close();
});
