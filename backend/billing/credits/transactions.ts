import { type Decimal, ZERO } from '../../platform/decimal.ts';
import { type CreditView, isInView } from './balance.ts';
import type { Book } from './book.ts';
import type { CreditMovement } from './types.ts';

export type TransactionType = 'funded' | 'consumed' | 'expired' | 'voided';

/** A movement as customers see it, with the balance of the view around it. */
export interface CreditTransaction {
  movement: CreditMovement;
  type: TransactionType;
  amount: Decimal;
  before: Decimal;
  after: Decimal;
}

const TYPES: Record<CreditMovement['kind'], TransactionType> = {
  fund: 'funded',
  use: 'consumed',
  give_back: 'consumed',
  cover: 'consumed',
  expire: 'expired',
  void: 'voided',
};

/**
 * What happened up to an instant, the newest first; balances run over all of the view, whatever is filtered from it later.
 * Credit that covers an advance is no transaction where both are seen.
 */
export function transactionsAt(book: Book, atMs: number, view: CreditView): CreditTransaction[] {
  const seen = book.movements.filter((one) => one.bookedAtMs <= atMs && isInView(book, one, view));
  const rows: CreditTransaction[] = [];
  let balance = ZERO;
  for (const movement of withoutPairs(mergedExpiries(inOrder(seen)))) {
    const before = balance;
    balance = balance.add(movement.amount);
    rows.push({ movement, type: TYPES[movement.kind], amount: movement.amount, before, after: balance });
  }
  return rows.toReversed();
}

function inOrder(movements: readonly CreditMovement[]): CreditMovement[] {
  return movements.toSorted((a, b) => a.bookedAtMs - b.bookedAtMs || a.seq - b.seq);
}

/** What expired less, because usage before it was billed later, is one transaction; of nothing, none. */
function mergedExpiries(movements: readonly CreditMovement[]): CreditMovement[] {
  const plans = new Map<string, { lastSeq: number; amount: Decimal }>();
  for (const { kind, lotId, bookedAtMs, seq, amount, runId } of movements) {
    if (kind !== 'expire' || (runId !== undefined && amount.lt(0))) continue;
    const key = `${lotId} ${bookedAtMs}`;
    plans.set(key, { lastSeq: seq, amount: amount.add(plans.get(key)?.amount ?? ZERO) });
  }
  return movements.flatMap((one) => {
    if (one.kind !== 'expire' || (one.runId !== undefined && one.amount.lt(0))) return [one];
    const plan = plans.get(`${one.lotId} ${one.bookedAtMs}`);
    return plan?.lastSeq === one.seq && !plan.amount.isZero() ? [{ ...one, amount: plan.amount }] : [];
  });
}

/** Leaves out both sides of a cover when both are there. */
function withoutPairs(movements: readonly CreditMovement[]): CreditMovement[] {
  const sums = new Map<string, Decimal>();
  for (const one of movements) {
    if (one.kind === 'cover') sums.set(pairOf(one), one.amount.add(sums.get(pairOf(one)) ?? ZERO));
  }
  return movements.filter((one) => one.kind !== 'cover' || !sums.get(pairOf(one))?.isZero());
}

function pairOf({ reasonId, runId }: CreditMovement): string {
  return `${reasonId} ${runId}`;
}
