import { expect, test } from 'vitest';
import { type SubscriptionLine, subscriptionLines } from '../../backend/customers/subscriptions/lines.ts';
import { placePhases } from '../../backend/customers/subscriptions/phases.ts';
import { reconcileItems } from '../../backend/customers/subscriptions/reconcile-items.ts';
import type { Subscription } from '../../backend/customers/subscriptions/types.ts';
import { subscriptionView } from '../../backend/customers/subscriptions/view.ts';
import { countingIds, phase, rateCard, subscription } from '../support/customers/agreed-subscriptions.ts';
import { fc } from '../support/property.ts';

const numRuns = process.env['LONG'] ? 3_000 : 150;
const DAY_MS = 86_400_000;

/** The last days of a month, leap years among them, or any instant. */
const startOfAny = fc.oneof(
  fc.integer({ min: Date.parse('2019-01-01T00:00:00Z'), max: Date.parse('2033-01-01T00:00:00Z') }),
  fc
    .tuple(fc.integer({ min: 2023, max: 2029 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 2 }))
    .map(([year, month, back]) => Date.UTC(year, month, -back, 15)),
);
const cadence = fc.constantFrom('P1W', 'P2W', 'P4W', 'P1M', 'P3M', 'P6M', 'P1Y');
const itemCadence = fc.constantFrom('P1D', 'P1W', 'P1M', 'P3M', 'P1Y', undefined);
const card = fc
  .tuple(fc.constantFrom('api', 'seats', 'support'), itemCadence, fc.constantFrom('flat', 'unit', 'free'), fc.nat(3))
  .map(([key, billingCadence, kind, amount]) =>
    rateCard(key, {
      ...(kind === 'flat' && { flat: `${amount}` }),
      ...(kind === 'unit' && { unit: `${amount}` }),
      ...(kind === 'unit' || billingCadence ? { billingCadence: billingCadence ?? 'P1M' } : {}),
      ...(amount > 1 && {
        entitlement: { type: 'metered', isSoftLimit: false, usagePeriod: 'P1M', limit: `${amount}000` } as const,
      }),
    }),
  );
const cards = fc.uniqueArray(card, { selector: ({ key }) => key, minLength: 1, maxLength: 3 });
const phasePlan = fc.array(fc.tuple(fc.constantFrom('P7D', 'P14D', 'P1M', 'P2M', 'P40D', 'P1Y'), cards), {
  minLength: 1,
  maxLength: 3,
});

const agreed = fc
  .tuple(startOfAny, fc.integer({ min: -400, max: 400 }), cadence, phasePlan)
  .map(([activeFromMs, anchorDays, billingCadence, plan]) => {
    let startAfter = 'P';
    const phases = plan.map(([duration, own], index) => {
      const start = index === 0 ? 'PT0S' : durationsSum(startAfter);
      startAfter += duration.slice(1);
      return phase(`phase${index}`, { startAfter: start, items: own.map((rate) => ({ rateCard: rate })) });
    });
    return subscription({ activeFromMs, billingAnchorMs: activeFromMs + anchorDays * DAY_MS, billingCadence, phases });
  });

/** "P14D1M40D" as one duration. */
function durationsSum(text: string): string {
  const sums: Record<string, number> = { Y: 0, M: 0, D: 0 };
  for (const [, count = '0', unit = 'D'] of text.matchAll(/(\d+)([YMD])/g)) {
    sums[unit] = (sums[unit] ?? 0) + Number.parseInt(count, 10);
  }
  return `P${sums['Y']}Y${sums['M']}M${sums['D']}D`;
}

type Change =
  | { kind: 'cancel' | 'continue' }
  | { kind: 'buy'; slot: number; quantity: number }
  | { kind: 'replace' | 'remove' }
  | { kind: 'later'; slot: number; quantity: number; days: number };
const change: fc.Arbitrary<[number, Change, ReturnType<typeof rateCard>]> = fc.tuple(
  fc.integer({ min: 0, max: 45 * DAY_MS }),
  fc.oneof(
    fc.constantFrom<Change>({ kind: 'cancel' }, { kind: 'continue' }, { kind: 'replace' }, { kind: 'remove' }),
    fc.record({ kind: fc.constant('buy' as const), slot: fc.nat(1), quantity: fc.nat(4) }),
    fc.record({
      kind: fc.constant('later' as const),
      slot: fc.nat(1),
      quantity: fc.nat(4),
      days: fc.integer({ min: 1, max: 60 }),
    }),
  ),
  card,
);

function applied(before: Subscription, atMs: number, what: Change, rate: ReturnType<typeof rateCard>): Subscription {
  const isOver = before.activeToMs !== undefined && atMs >= before.activeToMs;
  if (isOver) return before;
  switch (what.kind) {
    case 'cancel':
      return before.activeToMs === undefined && atMs > before.activeFromMs
        ? { ...before, activeToMs: atMs + DAY_MS }
        : before;
    case 'continue': {
      const { activeToMs: _, ...others } = before;
      return others;
    }
    case 'buy':
      return withQuantity(before, what.slot, atMs, what.quantity);
    case 'later':
      return withQuantity(before, what.slot, atMs + what.days * DAY_MS, what.quantity);
    default:
      return withItem(before, atMs, rate.key, what.kind === 'replace' ? rate : undefined);
  }
}

/** Two add-ons: a flat fee with a limit on "api", and one-time "setup" with a monthly "seats". */
const ADDON_CARDS = [
  [
    rateCard('api', {
      flat: '5',
      billingCadence: 'P1M',
      entitlement: { type: 'metered', isSoftLimit: false, usagePeriod: 'P1M', limit: '500' },
    }),
  ],
  [rateCard('setup', { flat: '30' }), rateCard('seats', { flat: '2', billingCadence: 'P1M' })],
];

function withQuantity(before: Subscription, slot: number, fromMs: number, quantity: number): Subscription {
  const id = `addon${slot}`;
  const found = before.addons.find((addon) => addon.id === id);
  const earlier = (found?.timeline ?? []).filter((entry) => entry.fromMs < fromMs);
  const later = (found?.timeline ?? []).filter((entry) => entry.fromMs > fromMs);
  const timeline = [...earlier, { fromMs, quantity }, ...later];
  const addon = {
    id,
    addonId: id,
    name: id,
    rateCards: ADDON_CARDS[slot] ?? [],
    timeline,
    createdAtMs: 0,
    updatedAtMs: 0,
  };
  return {
    ...before,
    addons: [...before.addons.filter((other) => other.id !== id), addon].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function withItem(
  before: Subscription,
  atMs: number,
  key: string,
  rate: ReturnType<typeof rateCard> | undefined,
): Subscription {
  const current = placePhases(before).findLast((placed) => placed.fromMs <= atMs);
  return {
    ...before,
    phases: before.phases.map((own) => {
      if (own.id !== current?.phase.id) return own;
      const kept = own.items
        .filter((item) => item.rateCard.key !== key || (item.fromMs ?? current.fromMs) < atMs)
        .map((item) =>
          item.rateCard.key === key && (item.toMs === undefined || item.toMs > atMs) ? { ...item, toMs: atMs } : item,
        );
      return { ...own, items: rate ? [...kept, { rateCard: rate, fromMs: atMs }] : kept };
    }),
  };
}

const linesUntil = (of: Subscription, untilMs: number) => subscriptionLines(subscriptionView(of, untilMs), { untilMs });
const outline = ({
  identity,
  servicePeriod,
  fullServicePeriod,
  billingPeriod,
  invoiceAtMs,
  item,
}: SubscriptionLine) => ({
  identity,
  servicePeriod,
  fullServicePeriod,
  billingPeriod,
  invoiceAtMs,
  terms: item.rateCard.terms,
});

test('service periods tile each item from its start to its end, and billing periods hold their starts', () => {
  fc.assert(
    fc.property(agreed, fc.integer({ min: 1, max: 700 }), (of, days) => {
      const untilMs = of.activeFromMs + days * DAY_MS;
      const ended = subscription({ ...of, items: [], activeToMs: untilMs, phases: of.phases });
      const view = subscriptionView({ ...ended, items: reconcileItems(ended, [], countingIds()) }, untilMs);
      const lines = subscriptionLines(view, { untilMs: untilMs + 800 * DAY_MS });
      for (const item of view.phases.flatMap((own) => own.items)) {
        const own = lines.filter((line) => line.item.id === item.id);
        if (item.rateCard.terms.price.type === 'free') expect(own).toEqual([]);
        else {
          const seconds = (atMs: number) => Math.floor(atMs / 1000) * 1000;
          expect(own[0]?.servicePeriod.fromMs).toBe(seconds(item.fromMs));
          expect(own.at(-1)?.servicePeriod.toMs).toBe(seconds(item.toMs ?? 0));
          for (const [index, line] of own.entries()) {
            if (index > 0) expect(line.servicePeriod.fromMs).toBe(own[index - 1]?.servicePeriod.toMs);
            expect(line.billingPeriod.fromMs).toBeLessThanOrEqual(line.servicePeriod.fromMs);
            expect(line.billingPeriod.toMs).toBeGreaterThan(line.servicePeriod.fromMs);
            expect(line.fullServicePeriod.fromMs).toBeLessThanOrEqual(line.servicePeriod.fromMs);
            expect(line.fullServicePeriod.toMs).toBeGreaterThanOrEqual(line.servicePeriod.toMs);
          }
        }
      }
    }),
    { numRuns },
  );
});

test('after any changes, what a change did not touch keeps its identity, and no identity means two things', () => {
  fc.assert(
    fc.property(agreed, fc.array(change, { minLength: 1, maxLength: 8 }), (start, changes) => {
      const newId = countingIds();
      let current: Subscription = { ...start, items: reconcileItems(start, [], newId) };
      const meaning = new Map<string, string>();
      let atMs = start.activeFromMs;
      for (const [afterMs, what, rate] of changes) {
        atMs += afterMs;
        const before = current;
        const next = applied(before, atMs, what, rate);
        current = { ...next, items: reconcileItems(next, before.items, newId) };
        expect(reconcileItems(current, current.items, newId)).toEqual(current.items);
        for (const item of current.items) {
          const said = JSON.stringify([item.phaseKey, item.itemKey, item.version, item.fromMs, item.rateCard]);
          expect(meaning.get(item.id) ?? said).toBe(said);
          meaning.set(item.id, said);
        }
        const identities = linesUntil(current, atMs + 400 * DAY_MS).map((line) => line.identity);
        expect(new Set(identities).size).toBe(identities.length);
        expectUntouched(before, current, atMs);
      }
    }),
    { numRuns },
  );
});

/** What had been served by the change is as it was, and so is every item that neither began nor ended otherwise. */
function expectUntouched(before: Subscription, after: Subscription, atMs: number): void {
  const horizonMs = atMs + 400 * DAY_MS;
  const now = new Map(linesUntil(after, horizonMs).map((line) => [line.identity, served(line)]));
  const untouched = new Set(
    before.items
      .filter((item) => !item.isRemoved && before.activeToMs === after.activeToMs)
      .filter((item) =>
        after.items.some(
          (own) => !own.isRemoved && own.id === item.id && own.toMs === item.toMs && own.billedAs === item.billedAs,
        ),
      )
      .map((item) => item.id),
  );
  // A line may go on over several items that are billed as one.
  const together = (id: string) => {
    const item = before.items.find((own) => own.id === id);
    const billedAs = (own: typeof item) => `${own?.phaseKey}/${own?.itemKey}/${own?.billedAs}`;
    return before.items.filter((own) => billedAs(own) === billedAs(item));
  };
  for (const line of linesUntil(before, horizonMs)) {
    const isServed = line.servicePeriod.toMs <= atMs && line.servicePeriod.fromMs < line.servicePeriod.toMs;
    if (isServed) expect(now.get(line.identity)).toEqual(served(line));
    else if (together(line.item.id).every(({ id }) => untouched.has(id))) expect(now.has(line.identity)).toBe(true);
  }
}

function served({ identity, servicePeriod, item }: SubscriptionLine) {
  return { identity, servicePeriod, terms: item.rateCard.terms };
}

test('a cancelation that is taken back leaves every line as it was', () => {
  fc.assert(
    fc.property(agreed, fc.integer({ min: 1, max: 300 }), (start, days) => {
      const newId = countingIds();
      const before: Subscription = { ...start, items: reconcileItems(start, [], newId) };
      const canceled = { ...before, activeToMs: start.activeFromMs + days * DAY_MS };
      const cut = reconcileItems(canceled, before.items, newId);
      const continued = { ...before, items: reconcileItems(before, cut, newId) };
      const untilMs = start.activeFromMs + 500 * DAY_MS;
      expect(linesUntil(continued, untilMs).map(outline)).toEqual(linesUntil(before, untilMs).map(outline));
    }),
    { numRuns },
  );
});
