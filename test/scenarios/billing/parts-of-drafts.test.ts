/** Parts of a period, of which somebody has taken one off, or has set another price. */
import { describe, expect, test } from 'vitest';
import { useProfile } from '../../support/billing/invoices.ts';
import { bodyOf } from './draft-body.ts';
import { openStory, type Story, usage } from './story.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const INTERIM = '2026-01-10T00:00:00Z';

/** 10 calls on an interim draft, which takes its quantities a day later and waits for approval. */
async function withPart(tell: (s: Story, draft: Json) => Promise<void>): Promise<void> {
  const s = await openStory(JAN);
  try {
    await useProfile(s.backend, s.customer.id, {
      collection: { alignment: { type: 'subscription' }, interval: 'P1D' },
      invoicing: { auto_advance: false, progressive_billing: true },
    });
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events('2026-01-05T00:00:00Z', 10);
    s.backend.clock.set(INTERIM);
    const { data } = await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
    await tell(s, data[0]);
  } finally {
    await s.close();
  }
}

const remove = (s: Story, { id }: Json) => s.ok('DELETE', `/billing/invoices/${id}`);
const drop = (s: Story, draft: Json) => s.ok('PUT', `/billing/invoices/${draft.id}`, { ...bodyOf(draft), lines: [] });
const approve = (s: Story, { id }: Json) => s.ok('POST', `/billing/invoices/${id}/approve`);

describe('a part that is let off', () => {
  test.each([
    ['its draft is deleted before its quantity is taken', INTERIM, remove],
    ['its draft is deleted afterwards', '2026-01-12T00:00:00Z', remove],
    ['its line is taken off before its quantity is taken', INTERIM, drop],
    ['its line is taken off afterwards', '2026-01-12T00:00:00Z', drop],
  ])('does not come up again with the next one: %s', (_, at, letOff) =>
    withPart(async (s, { id }) => {
      if (at !== INTERIM) await s.at(at);
      await letOff(s, await s.ok('GET', `/billing/invoices/${id}`));
      await s.events('2026-01-20T00:00:00Z', 7);
      expect((await s.preview()).totals.total).toBe('7');
      await s.at('2026-02-02T00:00:00Z');
      expect((await s.bills()).at(-1)).toMatch(/2026-01-10..2026-02-01 draft 7 USD/);
    }),
  );
});

describe('a part with a price of its own', () => {
  test.each([
    ['events of it are voided', ['30'], '2026-01-05T00:00:00Z', '-30'],
    ['events of the other one are voided', ['30'], '2026-01-20T00:00:00Z', '-7'],
  ])('is corrected at that price: %s', (_, __, at, amount) =>
    withPart(async (s, { id }) => {
      await s.at('2026-01-11T00:00:00Z');
      const draft = await s.ok('GET', `/billing/invoices/${id}`);
      const body = bodyOf(draft);
      const price = { type: 'unit', amount: '3' };
      const lines = body.lines.map((line: Json) => ({ ...line, rate_card: { ...line.rate_card, price } }));
      await approve(s, await s.ok('PUT', `/billing/invoices/${id}`, { ...body, lines }));
      await s.events('2026-01-20T00:00:00Z', 7);
      await s.at('2026-02-02T00:00:00Z');
      await approve(s, (await s.invoices()).at(-1));
      expect((await s.invoices()).map(({ totals }) => totals.total)).toEqual(['30', '7']);
      const filter = { time: { gte: at, lt: at.replace('00:00Z', '00:01Z') } };
      await s.ok('POST', '/events/corrections', { action: 'void', reason: 'test traffic', filter });
      await s.at('2026-02-04T00:00:00Z');
      const { data } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
      expect(data.map((one: Json) => one.amount)).toEqual([amount]);
    }),
  );
});
