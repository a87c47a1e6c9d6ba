import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';
import { fee, openStory, type Story, usage } from '../scenarios/billing/story.ts';

/**
 * Whatever happens over the months (usage in time and late, changes of plan, clock moves, invoices in between), the sum
 * over all invoices, and of what waits for the next one, is what the terms of the time come to by their definition.
 */
const isLong = process.env['LONG'] === '1';
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const PRICES = [1, 2, 3];
const FEES = [31, 62, 93];
const DAYS = 75;

type Step =
  | { kind: 'usage'; count: number; lateDays: number }
  | { kind: 'change'; plan: number }
  | { kind: 'bill' }
  | { kind: 'invoice-now' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('usage' as const),
      count: fc.integer({ min: 1, max: 4 }),
      lateDays: fc.integer({ min: 0, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), plan: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('bill' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('invoice-now' as const) }) },
);
const timeline = fc.array(fc.record({ hours: fc.integer({ min: 1, max: 240 }), step }), {
  minLength: 3,
  maxLength: 14,
});

const iso = (atMs: number) => new Date(atMs).toISOString();
/** Ends of the months from the first of January. */
const MONTHS = [0, 1, 2, 3, 4, 5, 6].map((month) => Date.UTC(2026, month, 1));

/** When each plan was in force; the last one to the end. */
interface Segment {
  plan: number;
  fromMs: number;
}

/** The definition: each event costs the price of the plan in force when it happened, each month its part of the fee. */
function naive(segments: readonly Segment[], events: readonly number[], untilMs: number): string {
  const planAt = (atMs: number) => segments.findLast(({ fromMs }) => fromMs <= atMs)?.plan;
  let total = new Decimal(0);
  for (const atMs of events) {
    const plan = planAt(atMs);
    if (plan !== undefined) total = total.add(PRICES[plan] ?? 0);
  }
  for (const [index, segment] of segments.entries()) {
    const toMs = segments[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    for (let month = 0; month + 1 < MONTHS.length; month += 1) {
      const [from, to] = [MONTHS[month] ?? 0, MONTHS[month + 1] ?? 0];
      const [servedFrom, servedTo] = [Math.max(from, segment.fromMs), Math.min(to, toMs)];
      if (servedTo <= servedFrom || from > untilMs) continue;
      const share = new Decimal(FEES[segment.plan] ?? 0).mul(servedTo - servedFrom).div(to - from);
      total = total.add(share.toDecimalPlaces(2, Decimal.ROUND_HALF_UP));
    }
  }
  return formatDecimal(total);
}

async function live(story: Story, steps: readonly { hours: number; step: Step }[]) {
  const plans: { id: string }[] = [];
  for (const index of [0, 1, 2]) {
    plans.push(await story.plan(`p${index}`, [fee(String(FEES[index])), usage(String(PRICES[index]))]));
  }
  let current = await story.subscribe(plans[0]);
  const segments: Segment[] = [{ plan: 0, fromMs: START_MS }];
  const events: number[] = [];
  let nowMs = START_MS;
  for (const { hours, step: next } of steps) {
    nowMs = Math.min(nowMs + hours * 3_600_000, START_MS + DAYS * DAY_MS);
    story.backend.clock.set(iso(nowMs));
    if (next.kind === 'usage') {
      const atMs = Math.max(nowMs - next.lateDays * DAY_MS, START_MS);
      await story.events(iso(atMs), next.count);
      for (let index = 0; index < next.count; index += 1) events.push(atMs);
    } else if (next.kind === 'change') {
      if (segments.at(-1)?.fromMs === nowMs) continue;
      const body = { customer: { id: story.customer.id }, plan: { id: plans[next.plan]?.id }, timing: 'immediate' };
      current = (await story.ok('POST', `/subscriptions/${current.id}/change`, body)).next;
      segments.push({ plan: next.plan, fromMs: nowMs });
    } else if (next.kind === 'bill') {
      await story.at(iso(nowMs));
    } else {
      await story.backend.request('POST', `/customers/${story.customer.id}/invoices`, { body: {} });
    }
  }
  return { segments, events };
}

test(
  'the sum over all invoices is what the terms come to by their definition',
  async () => {
    await fc.assert(
      fc.asyncProperty(timeline, async (steps) => {
        const story = await openStory(iso(START_MS));
        try {
          const { segments, events } = await live(story, steps);
          // Billing runs every five minutes; usage is looked at again for a hundred days.
          await story.at(iso(START_MS + (DAYS + 1) * DAY_MS));
          // Long enough after the last event for everything to stand on an invoice.
          const endMs = Date.UTC(2026, 4, 1, 2);
          await story.at(iso(endMs));
          await story.at(iso(endMs + 3_600_000));
          const invoices = await story.invoices();
          const { data } = await story.ok('GET', `/customers/${story.customer.id}/billing-corrections?page[size]=1000`);
          const waiting = data.filter(({ state }: { state: string }) => state === 'pending');
          const sum = Decimal.sum(
            0,
            ...invoices.map((invoice) => invoice.totals.total),
            ...waiting.map(({ amount }: { amount: string }) => amount),
          );
          for (const invoice of invoices) expect(new Decimal(invoice.totals.total).lt(0)).toBe(false);
          expect(formatDecimal(sum)).toBe(naive(segments, events, endMs));
        } finally {
          await story.close();
        }
      }),
      { numRuns: isLong ? 200 : 4, endOnFailure: !isLong },
    );
  },
  isLong ? 3_600_000 : 120_000,
);
