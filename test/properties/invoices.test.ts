import { expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../backend/platform/decimal.ts';
import { fee, openStory, type Story, usage } from '../scenarios/billing/story.ts';
import { fc } from '../support/property.ts';
import { FEES, naiveTotal, PRICES, SEAT_FEE, type Segment } from './invoices-naive.ts';

/**
 * Whatever happens over the months (usage in time, late and voided, changes of plan, add-ons, cancellations and returns,
 * moves of the clock, invoices in between, processes that die in the middle of anything), the sum over all invoices, and
 * of what waits for the next one, is what the terms of the time come to by their definition, and no period stands on two
 * lines or on none.
 */
const isLong = process.env['LONG'] === '1';
const RUNS = Number(process.env['INVOICE_TIMELINES'] ?? (isLong ? 200 : 3));
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);
const DAYS = 75;

type Step =
  | { kind: 'usage'; count: number; lateDays: number }
  | { kind: 'void'; which: number }
  | { kind: 'plan'; plan: number }
  | { kind: 'seats'; seats: number }
  | { kind: 'cancel' | 'bill' | 'invoice-now' };

const constant = <Kind extends string>(kind: Kind) => ({ kind: fc.constant(kind) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      ...constant('usage'),
      count: fc.integer({ min: 1, max: 4 }),
      lateDays: fc.integer({ min: 0, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...constant('void'), which: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ ...constant('plan'), plan: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ ...constant('seats'), seats: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record(constant('cancel')) },
  { weight: 3, arbitrary: fc.record(constant('bill')) },
  { weight: 1, arbitrary: fc.record(constant('invoice-now')) },
);
const timeline = fc.array(
  fc.record({
    hours: fc.integer({ min: 1, max: 240 }),
    step,
    /** The process dies after so many commits of the step; 0: it does not. */
    diesAfter: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) },
    ),
  }),
  { minLength: 4, maxLength: 18 },
);

/** Processes that died on the way; some steps need fewer commits than the process lived for. */
let deaths = 0;

const iso = (atMs: number) => new Date(atMs).toISOString();

/** The customer as the test knows it. */
interface Life {
  story: Story;
  plans: { id: string }[];
  seat: { id: string };
  /** The subscription in force. */
  current: { id: string } | undefined;
  segments: Segment[];
  events: number[];
}

async function begin(story: Story): Promise<Life> {
  const seat = await story.addon('seat', [fee(SEAT_FEE, { key: 'seat', name: 'Seat' })]);
  const plans: { id: string }[] = [];
  for (const [index, price] of PRICES.entries()) {
    const cards = [fee(FEES[index] ?? '0'), usage(String(price))];
    plans.push(await story.plan(`p${index}`, cards, { addons: [seat] }));
  }
  const current = await story.subscribe(plans[0]);
  return { story, plans, seat, current, segments: [{ plan: 0, fromMs: START_MS, seats: 0 }], events: [] };
}

/** Changes of the subscription and billing, during which the process may die. */
async function act(life: Life, { kind, ...rest }: Step): Promise<void> {
  const { story, plans, seat, current } = life;
  const subscription = current === undefined ? undefined : `/subscriptions/${current.id}`;
  const customer = { id: story.customer.id };
  const ask = (method: string, path: string, body: unknown) => story.backend.request(method, path, { body });
  if (kind === 'bill') {
    await story.backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
    await story.backend.billingRuns.runner.work();
  } else if (kind === 'invoice-now') {
    await ask('POST', `/customers/${customer.id}/invoices`, {});
  } else if (kind === 'plan') {
    const plan = { id: plans[(rest as { plan: number }).plan]?.id };
    if (subscription === undefined)
      await ask('POST', '/subscriptions', { customer, plan, billing_anchor: iso(START_MS) });
    else await ask('POST', `${subscription}/change`, { customer, plan, timing: 'immediate' });
  } else if (kind === 'cancel' && subscription !== undefined) {
    await ask('POST', `${subscription}/cancel`, { timing: 'immediate' });
  } else if (kind === 'seats' && subscription !== undefined) {
    const { seats: quantity } = rest as { seats: number };
    const [bought] = (await story.ok('GET', `${subscription}/addons`)).data;
    if (bought === undefined && quantity > 0)
      await ask('POST', `${subscription}/addons`, { addon: { id: seat.id }, quantity, timing: 'immediate' });
    if (bought !== undefined && bought.quantity !== quantity)
      await ask('PATCH', `${subscription}/addons/${bought.id}`, { quantity, timing: 'immediate' });
  }
}

/** What the customer has now: a process that died may or may not have done what it was asked for. */
async function lookAgain(life: Life, atMs: number): Promise<void> {
  const { story, plans, segments } = life;
  const { data } = await story.ok('GET', `/subscriptions?filter[customer_id]=${story.customer.id}&page[size]=100`);
  life.current = data.find(({ status }: { status: string }) => status === 'active');
  let [plan, seats]: [number | undefined, number] = [undefined, 0];
  if (life.current !== undefined) {
    const { plan: own } = await story.ok('GET', `/subscriptions/${life.current.id}`);
    plan = plans.findIndex(({ id }) => id === own.id);
    const [bought] = (await story.ok('GET', `/subscriptions/${life.current.id}/addons`)).data;
    seats = bought === undefined ? 0 : bought.timeline.at(-1).quantity;
  }
  const last = segments.at(-1);
  if (last?.plan !== plan || last?.seats !== seats) segments.push({ fromMs: atMs, plan, seats });
}

async function live(story: Story, steps: readonly { hours: number; step: Step; diesAfter: number }[]): Promise<Life> {
  const life = await begin(story);
  let nowMs = START_MS;
  for (const { hours, step: next, diesAfter } of steps) {
    if (nowMs + hours * HOUR_MS > START_MS + DAYS * DAY_MS) break;
    nowMs += hours * HOUR_MS;
    story.backend.clock.set(iso(nowMs));
    if (next.kind === 'usage') {
      const atMs = Math.max(nowMs - next.lateDays * DAY_MS, START_MS);
      await story.events(iso(atMs), next.count);
      for (let index = 0; index < next.count; index += 1) life.events.push(atMs);
    } else if (next.kind === 'void') {
      const atMs = life.events[next.which];
      if (atMs === undefined) continue;
      const filter = { time: { gte: iso(atMs), lt: iso(atMs + 1000) } };
      await story.ok('POST', '/events/corrections', { action: 'void', reason: 'test traffic', filter });
      life.events = life.events.filter((other) => other !== atMs);
    } else {
      if (diesAfter === 0) await act(life, next);
      else if (await story.killed(diesAfter, () => act(life, next))) deaths += 1;
      await lookAgain(life, nowMs);
    }
  }
  return life;
}

/** Fees and usage of one card of a subscription: each period begins where the one before ended. */
function expectTiled(invoices: Awaited<ReturnType<Story['invoices']>>): void {
  const periods = new Map<string, string[]>();
  for (const line of invoices.flatMap((invoice) => invoice.lines)) {
    if (line.name !== 'Fee' && line.name !== 'Calls') continue;
    const { from, to } = line.service_period;
    const item = `${line.name} ${line.subscription.phase.item.id}`;
    periods.set(item, [...(periods.get(item) ?? []), `${from}..${to}`]);
  }
  for (const [item, own] of periods) {
    const borders = own.sort().map((period) => period.split('..'));
    const ends = borders.slice(0, -1).map(([, to]) => to);
    expect({ item, from: borders.slice(1).map(([from]) => from) }).toEqual({ item, from: ends });
  }
}

test(
  'the sum over all invoices is what the terms come to by their definition, and no period is billed twice or never',
  async () => {
    await fc.assert(
      fc.asyncProperty(timeline, async (steps) => {
        const story = await openStory(iso(START_MS));
        try {
          const { segments, events } = await live(story, steps);
          // Usage is looked at again for a hundred days, once a day: also what the first of these has just billed.
          await story.at(iso(START_MS + (DAYS + 2) * DAY_MS));
          await story.at(iso(START_MS + (DAYS + 4) * DAY_MS));
          // Long enough after the last event for everything to stand on an invoice.
          const endMs = Date.UTC(2026, 4, 1, 2);
          await story.at(iso(endMs));
          await story.at(iso(endMs + HOUR_MS));
          const invoices = await story.invoices();
          const { data } = await story.ok('GET', `/customers/${story.customer.id}/billing-corrections?page[size]=1000`);
          const waiting = data.filter(({ state }: { state: string }) => state === 'pending');
          const amounts = [
            ...invoices.map((invoice) => invoice.totals.total),
            ...waiting.map(({ amount }: { amount: string }) => amount),
          ];
          for (const invoice of invoices) {
            expect(new Decimal(invoice.totals.total).lt(0)).toBe(false);
            expect(invoice.status).toBe('paid');
          }
          expect(formatDecimal(Decimal.sum(0, ...amounts))).toBe(naiveTotal(segments, events, endMs));
          expectTiled(invoices);
          const numbers = invoices.map(({ number }) => Number(number.split('-').at(-1))).sort((a, b) => a - b);
          expect(numbers).toEqual(numbers.map((_, index) => index + 1));
        } finally {
          await story.close();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    if (isLong) process.stdout.write(`${RUNS} timelines, ${deaths} processes died\n`);
    if (isLong) expect(deaths).toBeGreaterThan(0);
  },
  isLong ? 7_200_000 : 120_000,
);
