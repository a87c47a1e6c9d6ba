import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import { leftAt } from './balance.ts';
import { type Book, type LotState, lotState, post, putLot } from './book.ts';
import { coverAdvances, coverFrom, openAdvances } from './cover.ts';
import { paysFor } from './order.ts';
import type { CreditLot } from './types.ts';

/** When and why a step is made. */
export interface Step {
  nowMs: number;
  reasonId: string;
}

/**
 * Books a lot. It counts from when it is effective; what was used in advance it pays at once, even when it is effective
 * later.
 */
export function fundLot(book: Book, unfunded: CreditLot, { nowMs, reasonId }: Step): void {
  if (unfunded.fundedAtMs !== undefined || unfunded.droppedAtMs !== undefined) return;
  const state = putLot(book, { ...unfunded, fundedAtMs: nowMs });
  const { id: lotId, amount, effectiveAtMs } = unfunded;
  const funded = { kind: 'fund' as const, lotId, knownAtMs: nowMs };
  const ahead = effectiveAtMs > nowMs ? Decimal.min(amount, payableBy(book, unfunded)) : ZERO;
  post(book, { ...funded, amount: ahead, bookedAtMs: nowMs, reasonId: `${reasonId}:ahead` });
  post(book, { ...funded, amount: amount.sub(ahead), bookedAtMs: effectiveAtMs, reasonId });
  const covering = { atMs: nowMs, knownAtMs: nowMs, reasonId };
  if (effectiveAtMs > nowMs) coverFrom(book, state, ahead, { ...covering, reasonId: `${reasonId}:ahead` });
  if ((unfunded.expiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) expire(book, state);
  coverAdvances(book, covering);
}

/** Takes the rest of a lot away for good. */
export function voidLot(book: Book, lotId: string, { nowMs, reasonId }: Step): void {
  const state = lotState(book, lotId);
  putLot(book, { ...state.lot, voidedAtMs: nowMs });
  takeAway(book, state, { nowMs, reasonId });
}

/**
 * The purchase fell through: what is unused is taken away, and what was used becomes an advance, which other credit
 * may pay.
 */
export function unfundLot(book: Book, lotId: string, { nowMs, reasonId }: Step): void {
  const state = lotState(book, lotId);
  if (state.lot.fundedAtMs === undefined) {
    putLot(book, { ...state.lot, droppedAtMs: nowMs });
    return;
  }
  if (state.lot.voidedAtMs !== undefined) return;
  putLot(book, { ...state.lot, voidedAtMs: nowMs });
  for (const [runId, run] of book.runs) {
    const amount = sumDecimals(run.draws.filter((draw) => draw.lotId === lotId).map((draw) => draw.amount));
    const feature = run.feature === undefined ? {} : { feature: run.feature };
    const step = { runId, ...feature, bookedAtMs: nowMs, knownAtMs: nowMs, reasonId };
    post(book, { ...step, kind: 'give_back', lotId, amount });
    post(book, { ...step, kind: 'use', amount: amount.neg() });
  }
  takeAway(book, state, { nowMs, reasonId });
  coverAdvances(book, { atMs: nowMs, knownAtMs: nowMs, reasonId });
}

/**
 * Brings a book up to an instant, in the order of time: what expires is gone, then credit that begins pays what is open.
 * @param isCut what expires at the very instant still stays
 */
export function expireUntil(book: Book, untilMs: number, isCut = false): void {
  // What began before the last step has paid what it could.
  const sinceMs = book.movements.at(-1)?.knownAtMs ?? 0;
  const turns = [...book.lots.values()].flatMap((state) => turnsOf(state, { sinceMs, untilMs, isCut }));
  turns.sort((a, b) => a.atMs - b.atMs || turnOf(a) - turnOf(b) || a.state.lot.seq - b.state.lot.seq);
  for (const { atMs, begins, state } of turns) {
    if (begins) coverAdvances(book, { atMs, knownAtMs: atMs, reasonId: `begin:${state.lot.id}` });
    else expire(book, state);
  }
}

/** Dated when it expires, or known when it was booked, where that was later. */
function expire(book: Book, { lot, left }: LotState): void {
  const { id: lotId, expiresAtMs: bookedAtMs = 0, fundedAtMs = 0 } = lot;
  const knownAtMs = Math.max(bookedAtMs, fundedAtMs);
  post(book, { kind: 'expire', lotId, amount: left.neg(), bookedAtMs, knownAtMs, reasonId: `expiry:${lotId}` });
}

interface Turn {
  atMs: number;
  begins: boolean;
  state: LotState;
}

function turnsOf(
  state: LotState,
  { sinceMs, untilMs, isCut }: { sinceMs: number; untilMs: number; isCut: boolean },
): Turn[] {
  const { expiresAtMs, effectiveAtMs, fundedAtMs, voidedAtMs } = state.lot;
  if (fundedAtMs === undefined || voidedAtMs !== undefined || state.left.isZero()) return [];
  const turns: Turn[] = [];
  const isOver = (atMs: number) => (isCut ? atMs < untilMs : atMs <= untilMs);
  const hasBegun = effectiveAtMs > fundedAtMs && effectiveAtMs >= sinceMs && isOver(effectiveAtMs);
  if (hasBegun) turns.push({ atMs: effectiveAtMs, begins: true, state });
  if (expiresAtMs !== undefined && isOver(expiresAtMs)) turns.push({ atMs: expiresAtMs, begins: false, state });
  return turns;
}

function turnOf({ begins }: Turn): number {
  return begins ? 1 : 0;
}

function payableBy(book: Book, lot: CreditLot): Decimal {
  const payable = openAdvances(book).filter(([, { feature }]) => paysFor(lot, feature));
  return sumDecimals(payable.map(([, { advance }]) => advance));
}

/** What is not effective yet is taken away at the instant at which it would begin. */
function takeAway(book: Book, { lot, left }: LotState, { nowMs, reasonId }: Step): void {
  const taken = { kind: 'void' as const, lotId: lot.id, knownAtMs: nowMs };
  const there = lot.effectiveAtMs > nowMs ? leftAt(book, lot.id, nowMs) : left;
  post(book, { ...taken, amount: there.neg(), bookedAtMs: nowMs, reasonId });
  const later = `${reasonId}:later`;
  post(book, { ...taken, amount: there.sub(left), bookedAtMs: lot.effectiveAtMs, reasonId: later });
}
