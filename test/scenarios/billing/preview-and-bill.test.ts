/** The preview is what the next invoice comes to when nothing more happens. */
import { describe, expect, test } from 'vitest';
import { createCharge, flatCharge, usageCharge } from '../../support/billing/charges.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { fee, openStory, type Story, usage } from './story.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const DAY_11 = '2026-01-11T00:00:00Z';
const FEB = '2026-02-01T00:00:00Z';

/** Quantities are taken a day after they fell due, also of what is billed in between. */
const PROGRESSIVE = {
  collection: { alignment: { type: 'subscription' }, interval: 'P1D' },
  invoicing: { auto_advance: true, draft_period: 'P0D', progressive_billing: true },
};

const previewed = async (s: Story, query = ''): Promise<string> => (await s.preview(query)).totals.total;
const simulated = async (s: Story, quantities: Json): Promise<string> =>
  (await s.ok('POST', `/customers/${s.customer.id}/invoice-preview/simulate`, { quantities })).totals.total;

/** What the first invoice that is made from now on comes to. */
async function nextBill(s: Story, dueAt: string, collectedAt: string): Promise<string | undefined> {
  const before = new Set((await s.invoices()).map(({ id }) => id));
  await s.at(dueAt);
  await s.at(collectedAt);
  return (await s.invoices()).find(({ id }) => !before.has(id))?.totals.total;
}

/** A story that is closed whatever becomes of it. */
async function told(start: string, tell: (s: Story) => Promise<void>, fields: Json = {}): Promise<void> {
  const s = await openStory(start, fields);
  try {
    await tell(s);
  } finally {
    await s.close();
  }
}

test('usage on an interim draft that waits for its collection is neither previewed nor simulated again', () =>
  told(JAN, async (s) => {
    await useProfile(s.backend, s.customer.id, PROGRESSIVE);
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events('2026-01-05T00:00:00Z', 100);
    s.backend.clock.set('2026-01-10T00:00:00Z');
    await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    expect((await s.invoices()).map(({ status }) => status)).toEqual(['draft']);
    expect([await previewed(s), await simulated(s, { calls: '110' })]).toEqual(['0', '10']);
    await s.events('2026-01-10T00:00:00Z', 10);
    expect([await previewed(s), await simulated(s, { calls: '110' })]).toEqual(['10', '10']);
    expect(await nextBill(s, FEB, '2026-02-02T01:00:00Z')).toBe('10');
  }));

test('usage that comes late for a draft is previewed where the draft is issued before the next invoice is made', () =>
  told(JAN, async (s) => {
    const invoicing = { ...PROGRESSIVE.invoicing, draft_period: 'P10D' };
    await useProfile(s.backend, s.customer.id, { ...PROGRESSIVE, invoicing });
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events('2026-01-05T00:00:00Z', 100);
    await s.at('2026-02-02T00:00:00Z');
    expect((await s.bills())[0]).toMatch(/draft 100 USD/);
    await s.events('2026-01-06T00:00:00Z', 7);
    await s.events('2026-02-02T00:00:00Z', 1);
    expect(await previewed(s)).toBe('8');
    await s.at('2026-02-12T00:00:00Z');
    expect(await nextBill(s, '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z')).toBe('8');
  }));

describe('what has not begun is previewed with what falls due when it does', () => {
  test('a change at the next cycle', () =>
    told(JAN, async (s) => {
      const [small, large] = [await s.plan('small', [usage('0.23')]), await s.plan('large', [fee('10')])];
      const subscription = await s.subscribe(small);
      await s.events('2026-01-05T00:00:00Z', 41);
      await s.change(subscription, large, 'next_billing_cycle');
      expect(await previewed(s)).toBe('19.43');
      expect(await nextBill(s, FEB, '2026-02-01T02:00:00Z')).toBe('19.43');
    }));

  test('a subscription that is scheduled', () =>
    told(JAN, async (s) => {
      await s.subscribe(await s.plan('later', [fee('28')]), { timing: '2026-03-01T00:00:00Z' });
      expect(await previewed(s)).toBe('28');
      expect(await nextBill(s, '2026-03-01T00:00:00Z', '2026-03-01T02:00:00Z')).toBe('28');
    }));

  const FREE = { key: 'fee', name: 'Fee', price: { type: 'free' } };
  test('a phase after a trial of many billing periods', () =>
    told(JAN, async (s) => {
      const trial = { key: 'trial', name: 'Trial', duration: 'P200D', rate_cards: [FREE] };
      const paid = { key: 'paid', name: 'Paid', rate_cards: [fee('3', { billing_cadence: 'P1W' })] };
      await s.subscribe(await s.plan('p', [], { billing_cadence: 'P1W', phases: [trial, paid] }));
      const due = '2026-07-20T00:00:00Z';
      const preview = await s.preview();
      // What is left of the week that is running.
      expect([preview.totals.total, preview.collection_at]).toEqual(['1.29', due]);
      expect(await nextBill(s, due, '2026-07-20T02:00:00Z')).toBe('1.29');
    }));

  test('in the currency of the customer, also when something falls due in another one before', () =>
    told(
      JAN,
      async (s) => {
        const yearly = fee('365', { billing_cadence: 'P1Y', payment_term: 'in_arrears' });
        const [small, large] = [await s.plan('small', [yearly]), await s.plan('large', [fee('10')])];
        await s.change(await s.subscribe(small), large, '2026-03-01T00:00:00Z');
        const euro = { currency: 'EUR', amount_before_proration: { amount: '7', currency: 'EUR' } };
        await createCharge(s.backend, s.customer.id, flatCharge('7', FEB, euro));
        expect([await previewed(s), await previewed(s, '?currency=EUR')]).toEqual(['69', '7']);
        expect(await nextBill(s, FEB, '2026-02-01T02:00:00Z')).toBe('7');
        expect(await nextBill(s, '2026-03-01T00:00:00Z', '2026-03-01T02:00:00Z')).toBe('69');
      },
      { currency: 'USD' },
    ));
});

describe('a credit is promised to the invoice that takes it', () => {
  /** A credit of 21, and a draft of 30 that waits until Jan 12. */
  async function withCreditAndDraft(s: Story): Promise<void> {
    await useProfile(s.backend, s.customer.id, PROGRESSIVE);
    const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
    await s.events('2026-01-05T00:00:00Z', 60);
    s.backend.clock.set(DAY_11);
    const { id: featureId } = (await s.ok('GET', '/features')).data.find(({ key }: Json) => key === 'calls');
    await createCharge(s.backend, s.customer.id, usageCharge(featureId, JAN, DAY_11));
    await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
  }

  test('not when a draft that waits takes it first', () =>
    told(JAN, async (s) => {
      await withCreditAndDraft(s);
      await createCharge(s.backend, s.customer.id, flatCharge('7.30', FEB));
      expect(await previewed(s)).toBe('7.3');
      await s.at('2026-01-12T00:00:00Z');
      expect((await s.invoices()).map(({ totals }) => totals.total)).toContain('9');
      expect(await nextBill(s, FEB, '2026-02-02T00:00:00Z')).toBe('7.3');
    }));

  test('when the invoice comes before the quantities of the draft are taken', () =>
    told(JAN, async (s) => {
      await withCreditAndDraft(s);
      await createCharge(s.backend, s.customer.id, flatCharge('7.30', '2026-01-11T06:00:00Z'));
      expect(await previewed(s)).toBe('0');
      expect(await nextBill(s, '2026-01-11T06:00:00Z', '2026-01-11T07:00:00Z')).toBe('0');
      await s.at('2026-01-12T00:00:00Z');
      expect((await s.invoices()).map(({ totals }) => totals.total)).toContain('16.3');
    }));
});
