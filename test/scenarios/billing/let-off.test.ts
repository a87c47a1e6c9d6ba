import { expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../../backend/platform/decimal.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { bodyOf } from './draft-body.ts';
import { fee, openStory, type Story, usage } from './story.ts';

/** What was let off of a correction was never paid: it is not given back, and what was kept is not charged back. */

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const listed = async (s: Story): Promise<Json[]> =>
  (await s.ok('GET', `/customers/${s.customer.id}/billing-corrections?page[size]=100`)).data;
const open = async (s: Story): Promise<string> => {
  const pending = (await listed(s)).filter(({ state }) => state === 'pending');
  return formatDecimal(Decimal.sum('0', ...pending.map(({ amount }) => amount)));
};
const settleAll = async (s: Story, how: string): Promise<void> => {
  for (const { id, state } of await listed(s)) {
    if (state !== 'pending') continue;
    await s.ok('POST', `/customers/${s.customer.id}/billing-corrections/${id}/settle`, { how });
  }
};
const act = (s: Story, { id }: Json, action: string): Promise<Json> =>
  s.ok('POST', `/billing/invoices/${id}/${action}`);
const draftOf = async (s: Story): Promise<Json> => (await s.invoices()).find(({ status }) => status === 'draft');
/** The events of one instant. */
const voidAt = (s: Story, gte: string): Promise<Json> =>
  s.ok('POST', '/events/corrections', {
    action: 'void',
    reason: 'test traffic',
    filter: { time: { gte, lt: gte.replace('00Z', '01Z') } },
  });
const setLateUsage = async (s: Story, late_usage: string): Promise<void> => {
  const { billing_profile } = await s.ok('GET', `/customers/${s.customer.id}/billing`);
  await s.ok('PUT', `/profiles/${billing_profile.id}/adjustment-settings`, { late_usage, unused_time: 'credit' });
};

const ON_TIME = '2026-01-05T00:00:00Z';
const LATE = '2026-01-06T00:00:00Z';

/** 10 calls at 1 are billed, then 10 more are sent, and nobody is to pay for them. */
async function told(letOff: (s: Story) => Promise<unknown>, then: (s: Story) => Promise<void>): Promise<void> {
  const s = await openStory(JAN, { labels: { 'sandbox-payment': 'failed' } });
  try {
    await useProfile(s.backend, s.customer.id, { invoicing: { auto_advance: false } });
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events(ON_TIME, 10);
    await s.at('2026-02-01T02:00:00Z');
    await act(s, await draftOf(s), 'approve');
    await s.events(LATE, 10);
    await s.events('2026-02-06T00:00:00Z', 3);
    await letOff(s);
    await then(s);
  } finally {
    await s.close();
  }
}

/** The next invoice, with the late usage. */
const nextDraft = async (s: Story): Promise<Json> => {
  await s.at('2026-03-01T02:00:00Z');
  const draft = await draftOf(s);
  expect(draft.totals.total).toBe('13');
  return draft;
};
test.each<[string, (s: Story) => Promise<unknown>]>([
  [
    'written off',
    async (s) => {
      expect(await open(s)).toBe('10');
      await settleAll(s, 'written_off');
    },
  ],
  [
    'only listed, as the profile said then',
    async (s) => {
      await setLateUsage(s, 'report');
      await listed(s);
      await setLateUsage(s, 'bill');
    },
  ],
  [
    'taken off a draft',
    async (s) => {
      const draft = await nextDraft(s);
      const body = bodyOf(draft);
      const lines = body.lines.filter(({ name }: Json) => !name.includes('late'));
      await s.ok('PUT', `/billing/invoices/${draft.id}`, { ...body, lines });
    },
  ],
  ['on a draft that was deleted', async (s) => s.ok('DELETE', `/billing/invoices/${(await nextDraft(s)).id}`)],
  [
    'on an invoice that was voided',
    async (s) => {
      const draft = await nextDraft(s);
      for (const action of ['approve', 'mark-uncollectible', 'void']) await act(s, draft, action);
    },
  ],
])('late usage that was %s, and is voided then, gives back what was paid and no more', async (_, letOff) => {
  await told(letOff, async (s) => {
    await voidAt(s, LATE);
    expect(await open(s)).toBe('0');
    // What has come to nothing is not let off again.
    await s.events('2026-01-07T00:00:00Z', 2);
    expect(await open(s)).toBe('2');
    await voidAt(s, '2026-01-07T00:00:00Z');
    expect(await open(s)).toBe('0');
    await voidAt(s, ON_TIME);
    expect(await open(s)).toBe('-10');
  });
});

test('of usage that is voided together only what was paid is given back', () =>
  told(
    async (s) => {
      await listed(s);
      await settleAll(s, 'written_off');
    },
    async (s) => {
      const filter = { time: { gte: ON_TIME, lt: '2026-01-07T00:00:00Z' } };
      await s.ok('POST', '/events/corrections', { action: 'void', reason: 'test traffic', filter });
      expect(await open(s)).toBe('-10');
      expect((await listed(s)).map(({ amount, state }) => `${amount} ${state}`).sort()).toEqual([
        '-10 pending',
        '-10 reported',
        '10 written_off',
      ]);
    },
  ));

test('a credit of usage that was written off is not charged back when the invoice is given up, nor when it is used', async () => {
  const s = await openStory(JAN, { labels: { 'sandbox-payment': 'failed' } });
  try {
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events(ON_TIME, 10);
    await s.at('2026-02-01T02:00:00Z');
    await voidAt(s, ON_TIME);
    expect(await open(s)).toBe('-10');
    await settleAll(s, 'written_off');
    await s.events(LATE, 4);
    expect(await open(s)).toBe('0');
    await act(s, (await s.invoices())[0], 'mark-uncollectible');
    expect(await open(s)).toBe('0');
  } finally {
    await s.close();
  }
});

test.each([
  // It came to nothing; when the invoice is paid after all, somebody decides again.
  ['written_off', '0', '-21'],
  ['paid_out', '21', '0'],
])(
  'a credit for unused time that was %s: %s is charged back when its invoice is given up',
  async (how, amount, later) => {
    const s = await openStory(JAN, { labels: { 'sandbox-payment': 'failed' } });
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      await settleAll(s, how);
      const [invoice] = await s.invoices();
      await act(s, invoice, 'mark-uncollectible');
      expect(await open(s)).toBe(amount);
      await settleAll(s, 'written_off');
      // What was charged back, and let off, is not given a second time.
      await s.backend.invoices.trigger(invoice.id, 'paid');
      expect(await open(s)).toBe(later);
    } finally {
      await s.close();
    }
  },
);

test.each<[string, (s: Story) => Promise<unknown>, string]>([
  ['late usage of the part that stands is billed', (s) => s.events('2026-01-21T00:00:00Z', 4), '4'],
  ['voided usage of the part that stands is given back', (s) => voidAt(s, '2026-01-20T00:00:00Z'), '-10'],
  ['late usage of the part that was let off is let off, too', (s) => s.events(LATE, 4), '0'],
  ['voided usage of the part that was let off gives nothing back', (s) => voidAt(s, ON_TIME), '0'],
])('the first part of a month was voided, the second one stands: %s', async (_, change, amount) => {
  const s = await openStory(JAN, { labels: { 'sandbox-payment': 'failed' } });
  try {
    const workflow = { collection: { interval: 'PT0S' }, invoicing: { draft_period: 'PT0S' } };
    await useProfile(s.backend, s.customer.id, workflow);
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events(ON_TIME, 7);
    s.backend.clock.set('2026-01-10T00:00:00Z');
    const [part] = (await s.ok('POST', `/customers/${s.customer.id}/invoices`, {})).data;
    for (const action of ['mark-uncollectible', 'void']) await act(s, part, action);
    await s.events('2026-01-20T00:00:00Z', 10);
    await s.at('2026-02-01T02:00:00Z');
    expect((await s.invoices()).map(({ totals }) => totals.total)).toEqual(['7', '10']);
    await change(s);
    expect(await open(s)).toBe(amount);
    expect(await open(s)).toBe(amount);
  } finally {
    await s.close();
  }
});
