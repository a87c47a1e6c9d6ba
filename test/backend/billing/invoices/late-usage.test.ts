import { describe, expect, test } from 'vitest';
import { openStory, type Story, usage } from '../../../scenarios/billing/story.ts';
import { createCharge, usageCharge } from '../../../support/billing/charges.ts';
import { act, useProfile } from '../../../support/billing/invoices.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const DAY_MS = 86_400_000;
const corrections = async (s: Story) =>
  (await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`)).data.map(
    ({ reason, amount }: { reason: string; amount: string }) => `${reason} ${amount}`,
  );
const later = (time: string, ms: number) => new Date(Date.parse(time) + ms).toISOString();

/** Corrections as they stand, without asking for them by API: that looks again. */
const found = async (s: Story): Promise<number> =>
  (await s.invoices()).flatMap(({ lines }) => lines).filter(({ name }) => name.endsWith('late usage')).length;

describe('how long usage is looked at again', () => {
  const ISSUED = '2026-02-01T01:00:00Z';
  const STORED = [
    { title: 'just after the invoice', afterMs: 1, isFound: true },
    { title: 'in the last second of the hundredth day', afterMs: 100 * DAY_MS - 1000, isFound: true },
    { title: 'two days later', afterMs: 102 * DAY_MS, isFound: false },
  ];
  test.each(STORED)('an event that arrives $title: $isFound', async ({ afterMs, isFound }) => {
    const s = await openStory('2026-01-01T00:00:00Z');
    try {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.at(ISSUED);
      // Each run is the daily look, up to shortly before the event; the next one comes when its time is over.
      await s.at(later(ISSUED, Math.max(afterMs - 1000, 0)));
      s.backend.clock.set(later(ISSUED, afterMs));
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at(later(ISSUED, afterMs + 2 * DAY_MS));
      expect(await corrections(s)).toEqual(isFound ? ['late_usage 3'] : []);
    } finally {
      await s.close();
    }
  });

  test('a month of a yearly invoice is looked at again from its invoice on, not from its end', async () => {
    const s = await openStory('2026-01-01T00:00:00Z');
    try {
      await s.subscribe(await s.plan('p', [usage('1')], { billing_cadence: 'P1Y' }));
      await s.at('2027-01-01T01:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2027-01-03T00:00:00Z');
      expect(await corrections(s)).toEqual(['late_usage 3']);
    } finally {
      await s.close();
    }
  });

  test('an invoice that waits long for its approval is looked at again from its issue on', async () => {
    const s = await openStory('2026-01-01T00:00:00Z');
    try {
      const t = s.backend;
      await useProfile(t, s.customer.id, { invoicing: { auto_advance: false } });
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.at(ISSUED);
      const [draft] = await s.invoices();
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-07-20T00:00:00Z');
      expect(await found(s)).toBe(0);
      await act(t, draft.id, 'approve');
      await s.at('2026-07-22T00:00:00Z');
      expect(await corrections(s)).toEqual(['late_usage 3']);
    } finally {
      await s.close();
    }
  });

  test('what was charged by hand is looked at again as well, where there is no subscription', async () => {
    const s = await openStory('2026-01-01T00:00:00Z');
    try {
      const { id } = (await s.ok('GET', '/features?filter[key]=calls')).data[0];
      await createCharge(s.backend, s.customer.id, usageCharge(id, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'));
      await s.at(ISSUED);
      await sendEvents(s.backend, 'calls', 'acme', '2026-01-20T00:00:00Z', [1, 1]);
      await s.at(later(ISSUED, DAY_MS));
      // Found by the run, not by asking: the window is over when somebody asks.
      s.backend.clock.set(later(ISSUED, 300 * DAY_MS));
      expect(await corrections(s)).toEqual(['late_usage 1']);
    } finally {
      await s.close();
    }
  });

  test('a clock that was far ahead and has stepped back looks again all the same', async () => {
    const s = await openStory('2026-01-01T00:00:00Z');
    try {
      const { id } = (await s.ok('GET', '/features?filter[key]=calls')).data[0];
      await createCharge(s.backend, s.customer.id, usageCharge(id, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'));
      await s.at(ISSUED);
      s.backend.clock.set(later(ISSUED, 60 * DAY_MS));
      await s.ok('GET', `/customers/${s.customer.id}/charges`);
      s.backend.clock.set(later(ISSUED, 2000));
      await sendEvents(s.backend, 'calls', 'acme', '2026-01-20T00:00:00Z', [1, 1]);
      await s.at(later(ISSUED, DAY_MS));
      s.backend.clock.set(later(ISSUED, 300 * DAY_MS));
      expect(await corrections(s)).toEqual(['late_usage 1']);
    } finally {
      await s.close();
    }
  });
});
