/** What is to be paid after all, of a customer for whom nothing else will be billed. */
import { describe, expect, test } from 'vitest';
import { createCharge, flatCharge } from '../../support/billing/charges.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { fee, openStory, type Story, usage } from './story.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const DAY_11 = '2026-01-11T00:00:00Z';

/** A customer who has left on Jan 11 with 5 billed; 10 more of the time before arrive a day later. */
async function left(s: Story, cards: Json[] = [usage('1')]): Promise<void> {
  const subscription = await s.subscribe(await s.plan('p', cards));
  await s.events('2026-01-05T00:00:00Z', 5);
  s.backend.clock.set(DAY_11);
  await s.ok('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });
  await s.at('2026-01-11T01:00:00Z');
  await s.events('2026-01-06T00:00:00Z', 10);
}

async function told(tell: (s: Story) => Promise<void>): Promise<void> {
  const s = await openStory(JAN);
  try {
    await tell(s);
  } finally {
    await s.close();
  }
}

describe('late usage of a customer who has left', () => {
  test('is invoiced on its own, once, as the preview says', () =>
    told(async (s) => {
      await left(s);
      s.backend.clock.set('2026-01-12T02:00:00Z');
      expect(await s.preview()).toMatchObject({ totals: { total: '10' }, collection_at: '2026-01-12T02:00:00Z' });
      await s.at('2026-01-12T02:00:00Z');
      await s.at('2026-01-13T03:00:00Z');
      expect(await s.bills()).toEqual([
        '2026-01-01..2026-01-11 paid 5 USD: Calls 5×1=5',
        '2026-01-01..2026-01-11 paid 10 USD: Calls: late usage 1×10=10',
      ]);
      expect((await s.preview()).collection_at).toBeUndefined();
    }));

  test('can be invoiced now', () =>
    told(async (s) => {
      await left(s);
      s.backend.clock.set('2026-01-12T02:00:00Z');
      const { data } = await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
      expect(data.map(({ totals }: Json) => totals.total)).toEqual(['10']);
    }));

  test('waits where more is to be billed', () =>
    told(async (s) => {
      await left(s);
      await createCharge(s.backend, s.customer.id, flatCharge('3', '2026-01-20T00:00:00Z'));
      await s.at('2026-01-12T02:00:00Z');
      expect(await s.bills()).toHaveLength(1);
      await s.at('2026-01-20T00:00:00Z');
      expect((await s.bills())[1]).toMatch(/paid 13 USD/);
    }));

  test('is taken off a credit that is larger, and no invoice comes', () =>
    told(async (s) => {
      await left(s, [usage('1'), fee('31')]);
      await s.at('2026-01-12T02:00:00Z');
      await s.at('2026-01-13T03:00:00Z');
      expect(await s.invoices()).toHaveLength(2);
      const { owed } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
      // Of a fee of 31 in advance 21 are open again, 5 went with the last invoice, and 10 are owed.
      expect(owed).toEqual([{ currency: 'USD', amount: '6' }]);
    }));

  test('waits for a draft that takes its quantities later', () =>
    told(async (s) => {
      await left(s);
      const workflow = { collection: { alignment: { type: 'subscription' }, interval: 'P10D' } };
      await useProfile(s.backend, s.customer.id, workflow);
      const subscription = await s.subscribe(await s.plan('q', [usage('1')]));
      await s.events('2026-01-11T02:00:00Z', 1);
      s.backend.clock.set('2026-01-12T02:00:00Z');
      await s.ok('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });
      await s.at('2026-01-12T02:00:00Z');
      await s.at('2026-01-13T03:00:00Z');
      expect((await s.invoices()).map(({ status }) => status)).toEqual(['paid', 'draft']);
      await s.at('2026-01-22T02:00:00Z');
      expect((await s.bills())[1]).toMatch(/paid 11 USD/);
    }));
});
