import { Decimal } from '../../platform/decimal.ts';
import { allocatedTo, type Book, type LotState, lotState, post, toCurrency } from './book.ts';
import { coverAdvances } from './cover.ts';
import { type AsOf, drawDownOrder } from './order.ts';
import type { CreditMovement, SettlementMode } from './types.ts';

/** What a run comes to, and when. */
export interface RunTotal {
  runId: string;
  feature?: string;
  mode: SettlementMode;
  /** In the currency of the book; rounded to it. */
  total: Decimal;
  /** Which lots are seen: those at the end of the period. */
  asOf: AsOf;
  bookedAtMs: number;
  nowMs: number;
  reasonId: string;
}

type OfRun = Pick<CreditMovement, 'runId' | 'feature' | 'bookedAtMs' | 'knownAtMs' | 'reasonId'>;

/**
 * Makes what a run took from credit what it comes to: draws the difference, or gives it back. Of a total that falls the
 * part on the invoice falls first, then the advance, then what was drawn last.
 * @returns what credit does not pay; it stands on the invoice
 */
export function settleRun(book: Book, run: RunTotal): Decimal {
  const total = Decimal.max(0, toCurrency(run.total, book.digits));
  const { runId, feature, bookedAtMs, nowMs, reasonId } = run;
  if (!book.reasons.has(reasonId)) {
    const step: OfRun = { runId, ...(feature !== undefined && { feature }), bookedAtMs, knownAtMs: nowMs, reasonId };
    const difference = total.sub(allocatedTo(book, runId));
    if (difference.gt(0)) draw(book, run, step, difference);
    else giveBack(book, runId, step, difference.neg());
    coverAdvances(book, { atMs: nowMs, knownAtMs: nowMs, reasonId });
  }
  return total.sub(allocatedTo(book, runId));
}

function draw(book: Book, { mode, asOf, feature }: RunTotal, step: OfRun, amount: Decimal): void {
  let rest = amount;
  for (const state of drawDownOrder(book, feature, asOf)) {
    const part = Decimal.min(rest, availableOf(state));
    if (part.lte(0)) continue;
    const lacking = part.sub(state.left);
    post(book, { ...step, kind: 'use', lotId: state.lot.id, amount: part.neg() });
    if (lacking.gt(0)) expireLess(book, state, step, lacking);
    rest = rest.sub(part);
  }
  if (mode === 'credit_only') post(book, { ...step, kind: 'use', amount: rest.neg() });
}

/** Credit that expired after the usage, and before it was billed, still pays for it. */
function availableOf({ left, lapsed }: LotState): Decimal {
  return left.add(lapsed);
}

function expireLess(book: Book, { lot }: LotState, step: OfRun, lacking: Decimal): void {
  const bookedAtMs = Math.max(step.bookedAtMs, lot.expiresAtMs ?? step.bookedAtMs);
  post(book, { ...step, kind: 'expire', lotId: lot.id, amount: lacking, bookedAtMs });
}

function giveBack(book: Book, runId: string, step: OfRun, amount: Decimal): void {
  const run = book.runs.get(runId);
  if (run === undefined) return;
  const ofAdvance = Decimal.min(amount, run.advance);
  post(book, { ...step, kind: 'give_back', amount: ofAdvance });
  for (const [lotId, part] of lastDrawn(run.draws, amount.sub(ofAdvance))) {
    post(book, { ...step, kind: 'give_back', lotId, amount: part });
    loseAgain(book, lotState(book, lotId), step, part);
  }
}

/** By lot, the last drawn first. */
function lastDrawn(draws: readonly { lotId: string; amount: Decimal }[], amount: Decimal): Map<string, Decimal> {
  const parts = new Map<string, Decimal>();
  let rest = amount;
  for (const draw of draws.toReversed()) {
    const part = Decimal.min(draw.amount, rest);
    if (part.isZero()) break;
    parts.set(draw.lotId, part.add(parts.get(draw.lotId) ?? 0));
    rest = rest.sub(part);
  }
  return parts;
}

/**
 * What is given back to a lot that is gone goes the same way, dated when it came back: the past stays what it was. To one
 * that is not effective yet it comes back when it is.
 */
function loseAgain(book: Book, { lot }: LotState, step: OfRun, part: Decimal): void {
  const lost = { ...step, lotId: lot.id, amount: part.neg() };
  if (lot.voidedAtMs !== undefined) {
    post(book, { ...lost, kind: 'void' });
  } else if (lot.effectiveAtMs > step.knownAtMs) {
    const later = { amount: part, bookedAtMs: lot.effectiveAtMs, reasonId: `${step.reasonId}:later` };
    post(book, { ...lost, kind: 'fund' });
    post(book, { ...lost, ...later, kind: 'fund' });
  } else if (lot.expiresAtMs !== undefined && lot.expiresAtMs <= step.knownAtMs) {
    post(book, { ...lost, kind: 'expire', bookedAtMs: Math.max(step.bookedAtMs, lot.expiresAtMs) });
  }
}
