import type { Decimal } from '../../platform/decimal.ts';
import { type CreditView, settledAt } from './balance.ts';
import { allocatedTo, type Book } from './book.ts';
import { settleRun } from './runs.ts';
import type { SettlementMode } from './types.ts';

/** A charge whose period runs: what it has come to so far is not booked yet, or not all of it. */
export interface RunningCharge {
  runId: string;
  feature?: string;
  mode: SettlementMode;
  total: Decimal;
}

/**
 * What would be settled if the running charges were booked now: the draw-down is made once, in a book of its own, and
 * each view is read from what is left. Charges that stop at the credit come first, so that those which go below zero take
 * nothing from them.
 * @param openAnother opens the book that is spoilt by it
 */
export function liveAt(
  openAnother: () => Book,
  atMs: number,
  charges: readonly RunningCharge[],
): (view: CreditView) => Decimal {
  const book = openAnother();
  const bounded = charges.filter(({ mode }) => mode === 'credit_then_invoice');
  const unbounded = charges.filter(({ mode }) => mode === 'credit_only');
  for (const charge of [...bounded, ...unbounded]) {
    const booked = allocatedTo(book, charge.runId);
    if (charge.total.lte(booked)) continue; // what was booked too much is given back when the period ends
    const step = { asOf: { atMs }, bookedAtMs: atMs, nowMs: atMs, reasonId: `live:${charge.runId}` };
    settleRun(book, { ...charge, ...step });
  }
  return (view) => settledAt(book, atMs, view);
}
