import { describe, expect, it } from 'vitest';
import {
  balanceOf,
  type MeteredAllowance,
  planBalance,
  runPlan,
} from '../../backend/customers/entitlements/engine/balance.ts';
import type { Grant } from '../../backend/customers/entitlements/engine/grant.ts';
import { windowedHistory } from '../../backend/customers/entitlements/engine/history.ts';
import { usagePeriodAt } from '../../backend/customers/entitlements/engine/usage-period.ts';
import { Decimal } from '../../backend/platform/decimal.ts';
import { durationFrom, type Period, recurrence } from '../../backend/platform/period/index.ts';
import { fc } from '../support/property.ts';
import { type NaiveGrant, type NaiveInput, naiveBalance, naiveLevel } from './entitlements-naive.ts';

const START_MS = Date.parse('2026-03-01T00:00:00Z');
const RUNS = process.env['LONG'] === '1' ? 20_000 : 500;
/** Six hours hold several usage periods and recurrences of everything below. */
const HORIZON = 360;
/** Half of all on the half hour, so that what begins, ends, recurs and is reset often falls together. */
const oftenTogether = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min: Math.ceil(min / 30), max: Math.floor(max / 30) }).map((halves) => halves * 30),
    fc.integer({ min, max }),
  );
const minute = oftenTogether(0, HORIZON);
const atMs = (minutes: number) => START_MS + minutes * 60_000;

const grants = fc.array(
  fc.record({
    amount: fc.integer({ min: 1, max: 40 }),
    priority: fc.integer({ min: 1, max: 3 }),
    effectiveAt: fc.oneof(fc.constant(0), minute),
    lastsFor: fc.option(oftenTogether(0, 200), { nil: undefined }),
    voidedAfter: fc.option(oftenTogether(0, 200), { nil: undefined, freq: 4 }),
    createdAt: fc.integer({ min: 0, max: 2 }),
    maxRollover: fc.integer({ min: 0, max: 40 }),
    minRollover: fc.integer({ min: 0, max: 40 }),
    rollsAll: fc.boolean(),
    recurrence: fc.option(fc.record({ every: oftenTogether(7, 90), anchor: oftenTogether(-50, 50) }), {
      nil: undefined,
    }),
  }),
  { maxLength: 4 },
);

const inputs: fc.Arbitrary<NaiveInput> = fc
  .record({
    grants,
    period: fc.record({ every: oftenTogether(60, 180), anchor: oftenTogether(-100, 100) }),
    manualResets: fc.uniqueArray(
      fc.record({
        at: oftenTogether(1, HORIZON),
        movesAnchor: fc.boolean(),
        preservesOverage: fc.boolean(),
      }),
      { maxLength: 2, selector: ({ at }) => at },
    ),
    preservesOverage: fc.boolean(),
    usage: fc.array(
      fc.record({
        at: minute,
        value: fc.integer({ min: 0, max: 30 }),
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      }),
      { maxLength: 25 },
    ),
    isDistinct: fc.boolean(),
    until: minute,
  })
  .map((input) => ({
    ...input,
    grants: input.grants.map(({ lastsFor, voidedAfter, rollsAll, ...grant }, index): NaiveGrant => {
      const always = rollsAll ? { maxRollover: grant.amount, minRollover: grant.amount } : {};
      const expiresAt = lastsFor === undefined ? undefined : grant.effectiveAt + lastsFor;
      const voidedAt = voidedAfter === undefined ? undefined : grant.effectiveAt + voidedAfter;
      return { ...grant, ...always, id: `g${index}`, expiresAt, voidedAt };
    }),
    manualResets: input.manualResets
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, movesAnchor, preservesOverage }) => ({ at, preservesOverage, anchor: movesAnchor ? at : undefined })),
  }));

/** Overage is kept, and the one grant ends with the period: it must not pay with what it would have rolled over. */
const ENDS_AT_A_RESET: NaiveInput = {
  grants: [
    { id: 'g0', amount: 1, priority: 1, effectiveAt: 0, createdAt: 0, maxRollover: 1, minRollover: 1, voidedAt: 90 },
  ],
  period: { every: 60, anchor: 90 },
  manualResets: [],
  preservesOverage: true,
  usage: [{ at: 30, value: 2, key: 'a' }],
  isDistinct: false,
  until: 90,
};

function grantOf(grant: NaiveGrant): Grant {
  return {
    id: grant.id,
    amount: new Decimal(grant.amount),
    priority: grant.priority,
    effectiveAtMs: atMs(grant.effectiveAt),
    createdAtMs: grant.createdAt,
    expiresAtMs: grant.expiresAt === undefined ? undefined : atMs(grant.expiresAt),
    endedAtMs: grant.voidedAt === undefined ? undefined : atMs(grant.voidedAt),
    maxRollover: new Decimal(grant.maxRollover),
    minRollover: new Decimal(grant.minRollover),
    recurrence:
      grant.recurrence && recurrence(atMs(grant.recurrence.anchor), durationFrom(`PT${grant.recurrence.every}M`)),
  };
}

function allowanceOf(input: NaiveInput): MeteredAllowance {
  const every = durationFrom(`PT${input.period.every}M`);
  let anchor = input.period.anchor;
  const periods = [{ fromMs: START_MS, recurrence: recurrence(atMs(anchor), every) }];
  for (const reset of input.manualResets) {
    anchor = reset.anchor ?? anchor;
    periods.push({ fromMs: atMs(reset.at), recurrence: recurrence(atMs(anchor), every) });
  }
  return {
    grants: input.grants.map(grantOf),
    periods,
    usageKind: input.isDistinct ? 'distinct' : 'additive',
    preservesOverage: (resetAtMs) =>
      input.manualResets.find(({ at }) => atMs(at) === resetAtMs)?.preservesOverage ?? input.preservesOverage,
  };
}

function meterOf({ usage, isDistinct }: NaiveInput) {
  return ({ fromMs, toMs }: Period) => {
    const within = usage.filter(({ at }) => atMs(at) >= fromMs && atMs(at) < toMs);
    return new Decimal(
      isDistinct ? new Set(within.map(({ key }) => key)).size : within.reduce((sum, { value }) => sum + value, 0),
    );
  };
}

function engineBalance(input: NaiveInput, until: number, options: Parameters<typeof planBalance>[2] = {}) {
  const allowance = allowanceOf(input);
  return runPlan(allowance, planBalance(allowance, atMs(until), options), meterOf(input));
}

describe('the engine of entitlements, against a walk from minute to minute', () => {
  it('finds the same balance, usage and overage at any instant', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const found = balanceOf(engineBalance(input, input.until));
        const expected = naiveBalance(input);
        const balances = Object.fromEntries(
          input.grants.map(({ id }) => [id, found.grantBalances.get(id)?.toNumber() ?? 0]),
        );
        expect({
          balances,
          balance: found.balance.toNumber(),
          usage: found.usage.toNumber(),
          overage: found.overage.toNumber(),
          totalAvailable: found.totalAvailableGrantAmount.toNumber(),
        }).toEqual(expected);
      }),
      { numRuns: RUNS, examples: [[ENDS_AT_A_RESET]] },
    );
  });

  it('finds what is left of a level when the latest value counts', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const allowance: MeteredAllowance = { ...allowanceOf(input), usageKind: 'latest' };
        const latest = ({ fromMs, toMs }: Period) =>
          new Decimal(
            input.usage
              .filter(({ at }) => atMs(at) >= fromMs && atMs(at) < toMs)
              .toSorted((a, b) => a.at - b.at)
              .at(-1)?.value ?? 0,
          );
        const found = balanceOf(runPlan(allowance, planBalance(allowance, atMs(input.until)), latest));
        expect({
          balance: found.balance.toNumber(),
          usage: found.usage.toNumber(),
          overage: found.overage.toNumber(),
          totalAvailable: found.totalAvailableGrantAmount.toNumber(),
        }).toEqual(naiveLevel(input));
      }),
      { numRuns: RUNS },
    );
  });

  it('finds the same however the time before is cut', () => {
    fc.assert(
      fc.property(inputs, fc.array(minute, { maxLength: 6 }), (input, cuts) => {
        const plain = balanceOf(engineBalance(input, input.until));
        const cut = balanceOf(engineBalance(input, input.until, { fromMs: START_MS, cutsMs: cuts.map(atMs) }));
        expect(cut.balance).toEqual(plain.balance);
        expect(cut.overage).toEqual(plain.overage);
        expect(cut.usage).toEqual(plain.usage);
      }),
      { numRuns: RUNS / 2 },
    );
  });

  it('shows each window with its usage, and with the balance of the moment at which it begins', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const size = 30;
        const windows = Array.from({ length: Math.ceil(input.until / size) }, (_, index) => ({
          fromMs: atMs(index * size),
          toMs: atMs(Math.min(input.until, (index + 1) * size)),
        }));
        const run = engineBalance(input, input.until, {
          fromMs: START_MS,
          cutsMs: windows.map(({ fromMs }) => fromMs),
        });
        const seen = windowedHistory(run, windows);
        seen.forEach(({ usage, balanceAtStart, period }, index) => {
          if (!input.isDistinct) expect(usage).toEqual(meterOf(input)(period));
          const begun = naiveBalance({ ...input, until: index * size, showsStart: true });
          expect(balanceAtStart.toNumber()).toBe(begun.balance);
        });
      }),
      { numRuns: RUNS / 2 },
    );
  });
});

describe('usage periods of months', () => {
  /** Every month on the day of the anchor, or on its last day, whatever the months before had. */
  const naiveStarts = (anchor: Date): number[] =>
    Array.from({ length: 80 }, (_, index) => {
      // The anchor may lie up to two years ahead.
      const months = anchor.getUTCMonth() + index - 40;
      const lastDay = new Date(Date.UTC(anchor.getUTCFullYear(), months + 1, 0)).getUTCDate();
      const day = Math.min(anchor.getUTCDate(), lastDay);
      return Date.UTC(anchor.getUTCFullYear(), months, day, anchor.getUTCHours(), anchor.getUTCMinutes());
    });

  it('begin on the day of the anchor, or on the last of a shorter month, also after resets that move it', () => {
    const minutes = fc.integer({ min: 0, max: 800 * 24 * 60 });
    fc.assert(
      fc.property(minutes, fc.option(minutes, { nil: undefined }), minutes, (anchor, reset, asked) => {
        const every = durationFrom('P1M');
        const measureFromMs = atMs(0);
        const periods = [{ fromMs: measureFromMs, recurrence: recurrence(atMs(anchor), every) }];
        const resetMs = reset === undefined || reset === 0 ? undefined : atMs(reset);
        if (resetMs !== undefined) periods.push({ fromMs: resetMs, recurrence: recurrence(resetMs, every) });
        const isReset = resetMs !== undefined && atMs(asked) >= resetMs;
        const boundaries = naiveStarts(new Date(isReset ? resetMs : atMs(anchor)));
        const begun = boundaries.filter((startMs) => startMs <= atMs(asked));
        const ahead = boundaries.filter((startMs) => startMs > atMs(asked));
        const endMs = isReset ? Infinity : (resetMs ?? Infinity);
        expect(usagePeriodAt(periods, atMs(asked))).toEqual({
          fromMs: Math.max(isReset ? resetMs : measureFromMs, ...begun),
          toMs: Math.min(endMs, ...ahead),
        });
      }),
      { numRuns: RUNS },
    );
  });
});
