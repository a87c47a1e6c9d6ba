import { Decimal } from '../../platform/decimal.ts';
import { type Book, type LotState, post, type RunState } from './book.ts';
import { drawDownOrder, paysFor } from './order.ts';

interface Covering {
  atMs: number;
  knownAtMs: number;
  reasonId: string;
}

/** Credit that is free pays what was used in advance, the oldest first, so that none expires beside a debt. */
export function coverAdvances(book: Book, covering: Covering): void {
  for (const [runId, run] of openAdvances(book)) {
    for (const state of drawDownOrder(book, run.feature, { atMs: covering.atMs })) {
      cover(book, runId, state, state.left, covering);
    }
  }
}

/** The same from one lot, up to an amount, whether it is effective already or not. */
export function coverFrom(book: Book, state: LotState, limit: Decimal, covering: Covering): void {
  let rest = limit;
  for (const [runId, run] of openAdvances(book)) {
    if (paysFor(state.lot, run.feature)) rest = rest.sub(cover(book, runId, state, rest, covering));
  }
}

/** What was used in advance and a lot could pay. */
export function openAdvances(book: Book): [string, RunState][] {
  return [...book.advances].flatMap((runId) => {
    const run = book.runs.get(runId);
    return run === undefined ? [] : [[runId, run] as [string, RunState]];
  });
}

function cover(book: Book, runId: string, { lot }: LotState, available: Decimal, covering: Covering): Decimal {
  const run = book.runs.get(runId);
  const amount = Decimal.max(0, Decimal.min(available, run?.advance ?? 0));
  const { atMs, knownAtMs, reasonId } = covering;
  const both = {
    kind: 'cover' as const,
    runId,
    ...(run?.feature !== undefined && { feature: run.feature }),
    bookedAtMs: atMs,
    knownAtMs,
    reasonId,
  };
  post(book, { ...both, lotId: lot.id, amount: amount.neg() });
  post(book, { ...both, amount });
  return amount;
}
