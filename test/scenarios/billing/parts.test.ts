import { expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../../backend/platform/decimal.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { fee, openStory, type Story, type Told, tellStories, usage } from './story.ts';

/** Periods that are billed in parts: together they come to what the whole costs. */

const JAN = '2026-01-01T00:00:00Z';
const month = (index: number) => new Date(Date.UTC(2026, index, 1, 1)).toISOString();

/** All lines of usage, also of the minimum and of what is corrected. */
const usageTotal = async (s: Story): Promise<string> => {
  const lines = (await s.invoices()).flatMap((invoice) => invoice.lines);
  const own = lines.filter(({ name }: { name: string }) => name.startsWith('Calls'));
  return formatDecimal(Decimal.sum(0, ...own.map(({ totals }: { totals: { total: string } }) => totals.total)));
};

test.each([
  { currency: 'JPY', price: '0.5', total: '6' },
  { currency: 'JPY', price: '0.4', total: '5' },
  { currency: 'USD', price: '0.005', total: '0.06' },
])('a call a month on a yearly card in a monthly plan, at $price $currency: $total', async (story) => {
  const { currency, price, total } = story;
  const s = await openStory(JAN);
  try {
    const cards = [fee('100'), usage(price, { billing_cadence: 'P1Y' })];
    await s.subscribe(await s.plan('p', cards, { currency }));
    for (let index = 0; index < 12; index += 1) {
      await s.events(new Date(Date.UTC(2026, index, 10)).toISOString(), 1);
      await s.at(month(index + 1));
    }
    expect(await usageTotal(s)).toBe(total);
  } finally {
    await s.close();
  }
});

const MINIMUM = usage('1', { commitments: { minimum_amount: '50' } });
const ENDS: { title: string; end(s: Story, subscription: { id: string }): Promise<unknown> }[] = [
  { title: 'cancelled', end: (s, { id }) => s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' }) },
  { title: 'changed', end: async (s, own) => s.change(own, await s.plan('q', [fee('0')])) },
  {
    title: 'edited',
    end: (s, { id }) =>
      s.ok('POST', `/subscriptions/${id}/edit`, {
        customizations: [{ type: 'remove_item', phase_key: 'default', item_key: 'calls' }],
        timing: 'immediate',
      }),
  },
];
test.each(ENDS)('$title in the second of an interim invoice: the minimum is owed all the same', async ({ end }) => {
  const s = await openStory(JAN);
  try {
    const workflow = { collection: { interval: 'PT0S' }, invoicing: { draft_period: 'PT0S' } };
    await useProfile(s.backend, s.customer.id, workflow);
    const subscription = await s.subscribe(await s.plan('p', [MINIMUM, fee('0', { key: 'other', name: 'Other' })]));
    await s.events('2026-01-05T00:00:00Z', 1);
    // The clock stands still: what follows happens in the second up to which the call is billed.
    s.backend.clock.set('2026-01-10T00:00:05Z');
    await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    expect((await s.bills()).at(-1)).toMatch(/ paid 1 USD: .*Calls 1×1=1/);
    await end(s, subscription);
    await s.at('2026-03-01T02:00:00Z');
    expect(await usageTotal(s)).toBe('50');
    await s.at('2026-04-01T02:00:00Z');
    expect(await usageTotal(s)).toBe('50');
  } finally {
    await s.close();
  }
});

const STORIES: Told[] = [
  {
    title: 'a late negative value on a volume price gives back what was billed, and no more',
    start: JAN,
    tell: async (s) => {
      const price = { type: 'volume', tiers: [{ unit_price: { type: 'unit', amount: '1' } }] };
      await s.subscribe(await s.plan('p', [usage(price, { key: 'tokens', name: 'Tokens' })]));
      await s.events('2026-01-05T00:00:00Z', 1, { type: 'tokens', value: 10 });
      await s.at('2026-02-01T01:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 1, { type: 'tokens', value: -25 });
      await s.events('2026-02-05T00:00:00Z', 1, { type: 'tokens', value: 100 });
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Tokens 10×1=10',
      expect.stringMatching(/ paid 90 USD: Tokens 100×1=100; Tokens: .* 1×-10=-10$/),
    ],
  },
];

tellStories(STORIES);
