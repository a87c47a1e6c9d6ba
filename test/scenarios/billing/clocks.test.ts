import { expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../../backend/platform/decimal.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { fee, openStory, type Story, usage } from './story.ts';

/** Clocks step back, and two servers never have the same one: no change may be lost to that, and none be refused. */

const corrections = async (s: Story) =>
  (await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`)).data.map(
    ({ reason, amount }: { reason: string; amount: string }) => `${reason} ${amount}`,
  );
const cancel = (s: Story, { id }: { id: string }) =>
  s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });

interface Case {
  title: string;
  start: string;
  tell(s: Story): Promise<void>;
  corrections: string[];
  bills: number;
}

const CASES: Case[] = [
  {
    title: 'cancelled by a clock that is five seconds behind the one that billed last',
    start: '2026-01-01T00:00:00Z',
    tell: async (s) => {
      const subscription = await s.subscribe(await s.plan('p', [fee('3100')]));
      await s.at('2026-01-02T00:48:10Z');
      s.backend.clock.set('2026-01-02T00:48:05Z');
      await cancel(s, subscription);
    },
    corrections: ['unused_time -2996.66'],
    bills: 1,
  },
  {
    title: 'changed by a clock that is behind: the new plan is billed, and the rest of the old one given back',
    start: '2026-01-01T00:00:00Z',
    tell: async (s) => {
      const subscription = await s.subscribe(await s.plan('p', [fee('3100')]));
      await s.at('2026-01-16T12:00:05Z');
      s.backend.clock.set('2026-01-16T12:00:00Z');
      const next = await s.change(subscription, await s.plan('q', [fee('1000')]));
      await s.at('2026-01-20T00:00:00Z');
      await s.ok('POST', `/subscriptions/${next.id}/cancel`, { timing: 'next_billing_cycle' });
    },
    corrections: ['carried_over -1050', 'unused_time -500'],
    bills: 2,
  },
  {
    title: 'cancelled before it began, by a clock that is behind the one that sold it',
    start: '2026-01-01T00:00:05.250Z',
    tell: async (s) => {
      const subscription = await s.subscribe(await s.plan('p', [fee('3100')]));
      s.backend.clock.set('2026-01-01T00:00:00Z');
      await cancel(s, subscription);
    },
    corrections: ['unused_time -3100'],
    bills: 1,
  },
  {
    title: 'deleted before it began, after a clock that was ahead had billed it',
    start: '2026-01-15T00:00:00Z',
    tell: async (s) => {
      const subscription = await s.subscribe(await s.plan('p', [fee('3100')]), { timing: '2026-02-01T00:00:00Z' });
      await s.at('2026-02-01T00:00:01Z');
      s.backend.clock.set('2026-01-31T23:59:59Z');
      await s.ok('POST', `/subscriptions/${subscription.id}/unschedule`);
    },
    corrections: ['unused_time -3100'],
    bills: 1,
  },
];

test.each(CASES)('$title', async ({ start, tell, bills, ...expected }) => {
  const s = await openStory(start);
  try {
    await tell(s);
    await s.at('2026-03-01T01:00:00Z');
    await s.at('2026-04-01T01:00:00Z');
    expect(await corrections(s)).toEqual(expected.corrections);
    expect(await s.bills()).toHaveLength(bills);
  } finally {
    await s.close();
  }
});

test('a usage period that a clock has billed beyond its end: what the next one counts is given back', async () => {
  const s = await openStory('2026-01-01T00:00:00Z');
  try {
    await useProfile(s.backend, s.customer.id, {
      collection: { interval: 'PT0S' },
      invoicing: { draft_period: 'PT0S' },
    });
    const card = usage('1', { commitments: { minimum_amount: '50' } });
    const subscription = await s.subscribe(await s.plan('p', [card]));
    await s.events('2026-01-10T00:00:03Z', 70);
    s.backend.clock.set('2026-01-10T00:00:05Z');
    await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    s.backend.clock.set('2026-01-10T00:00:01Z');
    await s.change(subscription, await s.plan('q', [usage('2')]));
    for (const time of ['2026-01-12T00:00:00Z', '2026-02-01T01:00:00Z', '2026-03-01T01:00:00Z']) await s.at(time);
    // The first plan has no use of its own, but its minimum; the 70 are the second plan's.
    const totals = (await s.invoices()).map(({ totals: { total } }) => total);
    expect(formatDecimal(Decimal.sum(...totals))).toBe('190');
    expect(await corrections(s)).toEqual(['lower_usage -20']);
  } finally {
    await s.close();
  }
});
