/** The preview is what the next invoice comes to when nothing more happens. */
import { expect, test } from 'vitest';
import { useProfile } from '../../backend/invoices/support.ts';
import { fee, openStory, type Story, usage } from './story.ts';

const PROGRESSIVE = {
  collection: { alignment: { type: 'subscription' }, interval: 'P1D' },
  invoicing: { auto_advance: true, draft_period: 'P0D', progressive_billing: true },
};

/** What the first invoice that is made from now on comes to. */
async function nextBill(s: Story, dueAt: string, collectedAt: string): Promise<string | undefined> {
  const before = new Set((await s.invoices()).map(({ id }) => id));
  await s.at(dueAt);
  await s.at(collectedAt);
  return (await s.invoices()).find(({ id }) => !before.has(id))?.totals.total;
}

const totalOf = async (s: Story) => (await s.preview()).totals.total;

test('usage on an interim draft that waits for its collection is not previewed again', async () => {
  const s = await openStory('2026-01-01T00:00:00Z');
  await useProfile(s.backend, s.customer.id, PROGRESSIVE);
  await s.subscribe(await s.plan('p', [usage('10')]));
  await s.events('2026-01-05T00:00:00Z', 10);
  s.backend.clock.set('2026-01-10T00:00:00Z');
  await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
  expect((await s.invoices()).map(({ status }) => status)).toEqual(['draft']);
  expect(await totalOf(s)).toBe('0');
  await s.events('2026-01-10T00:00:00Z', 1);
  expect(await totalOf(s)).toBe('10');
  expect(await nextBill(s, '2026-02-01T00:00:00Z', '2026-02-02T01:00:00Z')).toBe('10');
  await s.close();
});

test('a change at the next cycle and a subscription that is scheduled are previewed with what begins', async () => {
  const s = await openStory('2026-01-01T00:00:00Z');
  const [small, large] = [await s.plan('small', [usage('1')]), await s.plan('large', [fee('28')])];
  const subscription = await s.subscribe(small);
  await s.events('2026-01-05T00:00:00Z', 9);
  await s.change(subscription, large, 'next_billing_cycle');
  expect(await totalOf(s)).toBe('37');
  expect(await nextBill(s, '2026-02-01T00:00:00Z', '2026-02-01T02:00:00Z')).toBe('37');
  await s.close();

  const later = await openStory('2026-01-01T00:00:00Z');
  await later.subscribe(await later.plan('later', [fee('28')]), { timing: '2026-03-01T00:00:00Z' });
  expect(await totalOf(later)).toBe('28');
  expect(await nextBill(later, '2026-03-01T00:00:00Z', '2026-03-01T02:00:00Z')).toBe('28');
  await later.close();
});
