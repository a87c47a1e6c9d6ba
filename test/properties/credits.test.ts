import { expect, it } from 'vitest';
import { accountsOf, postingsAt } from '../../backend/billing/credits/accounts.ts';
import { bookAsKnown } from '../../backend/billing/credits/as-known.ts';
import { settledAt } from '../../backend/billing/credits/balance.ts';
import { type Book, openBook } from '../../backend/billing/credits/book.ts';
import { expireUntil, fundLot, unfundLot, voidLot } from '../../backend/billing/credits/lots.ts';
import { settleRun } from '../../backend/billing/credits/runs.ts';
import { transactionsAt } from '../../backend/billing/credits/transactions.ts';
import type { CreditLot, CreditMovement } from '../../backend/billing/credits/types.ts';
import { Decimal, sumDecimals } from '../../backend/platform/decimal.ts';
import { fc } from '../support/property.ts';
import { type NaiveRun, type NaiveStep, naiveLedger } from './credits-naive.ts';

const RUNS = process.env['LONG'] === '1' ? 20_000 : 500;
const HORIZON = 12;
const CENT = new Decimal('0.01');
const instant = fc.integer({ min: 0, max: HORIZON });
const feature = fc.constantFrom(undefined, 'api', 'storage');

const steps: fc.Arbitrary<NaiveStep> = fc.oneof(
  fc.record({
    at: instant,
    type: fc.constant('grant' as const),
    grant: fc
      .record({
        amount: fc.integer({ min: 1, max: 20 }),
        priority: fc.integer({ min: 1, max: 2 }),
        feature,
        effectiveAt: instant,
        lasts: fc.integer({ min: 1, max: HORIZON }),
      })
      .map(({ lasts, ...grant }) => ({
        ...grant,
        expiresAt: lasts === HORIZON ? Number.POSITIVE_INFINITY : grant.effectiveAt + lasts,
      })),
  }),
  fc.record({
    at: instant,
    type: fc.constant('total' as const),
    run: fc.integer({ min: 0, max: 3 }),
    total: fc.integer({ min: 0, max: 25 }),
    asOf: instant,
    isCut: fc.boolean(),
  }),
  fc.record({
    at: instant,
    type: fc.constantFrom('void' as const, 'unfund' as const),
    lot: fc.integer({ min: 0, max: 4 }),
  }),
);
const runs: fc.Arbitrary<NaiveRun[]> = fc.array(fc.record({ feature, isCreditOnly: fc.boolean() }), {
  minLength: 4,
  maxLength: 4,
});
const VIEWS = [undefined, 'api', 'storage'];

it('says at every instant what a replay cent by cent says, and later the same about the past', () => {
  fc.assert(
    fc.property(runs, fc.array(steps, { maxLength: 14 }), (ofRuns, given) => {
      const naive = naiveLedger(ofRuns);
      const played = new Set<string>();
      const records = { digits: 2, lots: [] as CreditLot[], movements: [] as CreditMovement[] };
      const seen: { at: number; view: string | undefined; balance: string }[] = [];
      const ordered = given.map((step) => ('grant' in step ? { ...step, grant: startedBy(step) } : step));
      for (let at = 0; at <= HORIZON + 1; at++) {
        const now = ordered.filter((step) => step.at === at);
        // First cuts, then what expires, then what begins, then the rest.
        for (const step of now.filter(isCut)) play(step);
        naive.turn(at, 'expiries');
        naive.turn(at, 'beginnings');
        for (const step of now.filter((step) => !isCut(step))) play(step);
        for (const view of VIEWS) {
          const balance = settledOf(records, at, at, view);
          expect({ at, view, balance }).toEqual({ at, view, balance: CENT.mul(naive.balance(at, view)).toFixed() });
          seen.push({ at, view, balance });
        }
      }
      for (const { at, view, balance } of seen) {
        expect(settledOf(records, at, HORIZON + 1, view)).toBe(balance);
        expect(settledOf(records, at, at, view)).toBe(balance);
      }
      conserved(records);

      function play(step: NaiveStep): void {
        const reasonId = `step-${ordered.indexOf(step as never)}`;
        const book = openBook(records);
        expireUntil(book, step.at, isCut(step));
        apply(book, step, reasonId);
        const added = [...book.added];
        apply(book, step, reasonId); // the same again
        expect(book.added).toEqual(added);
        records.movements.push(...added);
        records.lots = [...book.lots.values()].map(({ lot }) => lot);
      }

      function apply(book: Book, step: NaiveStep, reasonId: string): void {
        const isFirst = !book.reasons.has(reasonId) && !played.has(reasonId);
        played.add(reasonId);
        if (step.type === 'grant') {
          const id = `lot-${naive.lots.length - (isFirst ? 0 : 1)}`;
          if (isFirst) naive.grant(step.at, step.grant);
          const lot = book.lots.get(id)?.lot ?? lotOf(id, book.lots.size, step);
          fundLot(book, lot, { nowMs: step.at, reasonId });
        } else if (step.type === 'total') {
          const { at, run, total, isCut } = step;
          const asOf = isCut ? at : Math.min(step.asOf, at);
          if (isFirst) naive.total(at, run, total, asOf, isCut);
          const ofRun = ofRuns[run];
          settleRun(book, {
            runId: `run-${run}`,
            ...(ofRun?.feature !== undefined && { feature: ofRun.feature }),
            mode: ofRun?.isCreditOnly ? 'credit_only' : 'credit_then_invoice',
            total: CENT.mul(total),
            asOf: { atMs: asOf, isCut },
            bookedAtMs: at,
            nowMs: at,
            reasonId,
          });
        } else {
          const lotId = `lot-${step.lot}`;
          if (isFirst) naive.takeAway(step.at, step.lot, step.type === 'unfund');
          const state = book.lots.get(lotId);
          if (state === undefined || state.lot.voidedAtMs !== undefined) return;
          (step.type === 'void' ? voidLot : unfundLot)(book, lotId, { nowMs: step.at, reasonId });
        }
      }
    }),
    { numRuns: RUNS },
  );
});

function isCut(step: NaiveStep): boolean {
  return step.type === 'total' && step.isCut;
}

/** Nothing is granted for the past here. */
function startedBy({ at, grant }: Extract<NaiveStep, { type: 'grant' }>) {
  const effectiveAt = Math.max(at, grant.effectiveAt);
  return { ...grant, effectiveAt, expiresAt: grant.expiresAt + effectiveAt - grant.effectiveAt };
}

function lotOf(id: string, seq: number, { at, grant }: Extract<NaiveStep, { type: 'grant' }>): CreditLot {
  return {
    id,
    seq,
    amount: CENT.mul(grant.amount),
    priority: grant.priority,
    features: grant.feature === undefined ? [] : [grant.feature],
    funding: 'none',
    costBasis: new Decimal(1),
    createdAtMs: at,
    effectiveAtMs: grant.effectiveAt,
    ...(Number.isFinite(grant.expiresAt) && { expiresAtMs: grant.expiresAt }),
  };
}

function settledOf(
  records: Parameters<typeof bookAsKnown>[0],
  atMs: number,
  seenAtMs: number,
  view: string | undefined,
) {
  return settledAt(bookAsKnown(records, { atMs, seenAtMs }), atMs, view === undefined ? 'all' : [view]).toFixed();
}

/** Nothing is made or lost: accounts balance, rows run from balance to balance, and no lot holds less than nothing or more than it had. */
function conserved(records: Parameters<typeof bookAsKnown>[0]): void {
  const endMs = 4 * HORIZON;
  const book = bookAsKnown(records, { atMs: endMs, seenAtMs: endMs });
  const postings = postingsAt(book, endMs, { payments: [], issued: [] });
  for (const posting of postings) expect(sumDecimals(posting.map(([, amount]) => amount)).toFixed()).toBe('0');
  expect(sumDecimals(accountsOf(postings).values()).toFixed()).toBe('0');
  const rows = transactionsAt(book, endMs, 'all');
  expect(rows[0]?.after.toFixed() ?? '0').toBe(settledAt(book, endMs, 'all').toFixed());
  rows.forEach((row, index) => {
    expect(row.before.toFixed()).toBe(rows[index + 1]?.after.toFixed() ?? '0');
  });
  for (const { lot, left } of book.lots.values()) {
    expect(left.gte(0) && left.lte(lot.amount)).toBe(true);
  }
  const keys = records.movements.map(({ reasonId, kind, lotId, runId }) => [reasonId, kind, lotId, runId].join());
  expect(new Set(keys).size).toBe(keys.length);
}
