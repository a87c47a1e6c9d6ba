import { expect, test } from 'vitest';
import { openStory, usage } from './story.ts';

test('a custom currency is billed with its own digits, as estimated', async () => {
  const s = await openStory('2026-01-01T00:00:00Z', { currency: 'USD' });
  const credits = { code: 'CREDITS', name: 'Credits', symbol: '₡', precision: 1 };
  await s.ok('POST', '/currencies/custom', { ...credits, decimal_mark: '.', thousand_separator: ',' });
  const fee = { key: 'fee', name: 'Fee', billing_cadence: 'P1M', payment_term: 'in_advance' };
  const cards = [{ ...fee, price: { type: 'flat', amount: '10' } }, usage('0.333')];
  const plan = await s.plan('credits', cards, { currency: 'CREDITS' });
  const estimate = await s.ok('POST', '/cost-estimates', { plan: { id: plan.id }, quantities: { calls: '5' } });
  expect(estimate.totals).toMatchObject([{ currency: 'CREDITS', total: '11.7' }]);
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
