import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import type { CreditLot, CreditMovement, LedgerRecords } from './types.ts';

/** A lot and the sums of its movements. */
export interface LotState {
  lot: CreditLot;
  /** What is there, or will be once it is effective. */
  left: Decimal;
  /** What expired. */
  lapsed: Decimal;
}

/** What a run drew, in the order of drawing, and what it used in advance. */
export interface RunState {
  feature?: string;
  draws: { lotId: string; amount: Decimal }[];
  /** Uncovered; 0 or more. */
  advance: Decimal;
  /** When it was last booked. */
  knownAtMs: number;
}

/**
 * The records of a customer in one currency, opened for booking. What is posted stands in `movements` and, because it is
 * new, in `added`; the sums follow. Lots may be replaced (funded, voided); those stand in `changed`.
 */
export interface Book {
  digits: number;
  lots: Map<string, LotState>;
  runs: Map<string, RunState>;
  /** Runs with an open advance; the oldest first. */
  advances: Set<string>;
  movements: CreditMovement[];
  reasons: Set<string>;
  added: CreditMovement[];
  changed: Set<string>;
}

export function openBook({ digits, lots, movements }: LedgerRecords): Book {
  const book: Book = {
    digits,
    lots: new Map(),
    runs: new Map(),
    advances: new Set(),
    movements: [],
    reasons: new Set(),
    added: [],
    changed: new Set(),
  };
  for (const lot of lots) book.lots.set(lot.id, { lot, left: ZERO, lapsed: ZERO });
  for (const movement of movements) take(book, movement);
  return book;
}

/** Books a movement; one of nothing is left out. */
export function post(book: Book, movement: Omit<CreditMovement, 'seq'>): void {
  if (movement.amount.isZero()) return;
  const last = book.movements.at(-1);
  const numbered = { ...movement, seq: last === undefined ? 1 : last.seq + 1 };
  take(book, numbered);
  book.added.push(numbered);
}

/** Adds a lot, or replaces what is known of it. */
export function putLot(book: Book, lot: CreditLot): LotState {
  const state = book.lots.get(lot.id) ?? { lot, left: ZERO, lapsed: ZERO };
  state.lot = lot;
  book.lots.set(lot.id, state);
  book.changed.add(lot.id);
  return state;
}

export function lotState(book: Book, lotId: string): LotState {
  const state = book.lots.get(lotId);
  if (state === undefined) throw new Error(`credit lot ${lotId} is not in the book`);
  return state;
}

/** What a run took from credit, advances included. */
export function allocatedTo(book: Book, runId: string): Decimal {
  const run = book.runs.get(runId);
  return run === undefined ? ZERO : sumDecimals(run.draws.map(({ amount }) => amount)).add(run.advance);
}

/** Rounded to the currency, half away from zero. */
export function toCurrency(amount: Decimal, digits: number): Decimal {
  return amount.toDecimalPlaces(digits, Decimal.ROUND_HALF_UP);
}

function take(book: Book, movement: CreditMovement): void {
  book.movements.push(movement);
  book.reasons.add(movement.reasonId);
  if (movement.lotId !== undefined) takeOfLot(lotState(book, movement.lotId), movement);
  if (movement.runId !== undefined) takeOfRun(book, movement.runId, movement);
}

function takeOfLot(state: LotState, { kind, amount }: CreditMovement): void {
  state.left = state.left.add(amount);
  if (kind === 'expire') state.lapsed = state.lapsed.sub(amount);
}

function takeOfRun(book: Book, runId: string, { kind, lotId, feature, amount, knownAtMs }: CreditMovement): void {
  // What follows from what a run drew or gave back says why, and is none of its draws.
  if (kind === 'expire' || kind === 'void' || kind === 'fund') return;
  const run = book.runs.get(runId) ?? {
    ...(feature !== undefined && { feature }),
    draws: [],
    advance: ZERO,
    knownAtMs,
  };
  book.runs.set(runId, run);
  run.knownAtMs = knownAtMs;
  if (lotId === undefined) {
    run.advance = run.advance.sub(amount);
    if (run.advance.gt(0)) book.advances.add(runId);
    else book.advances.delete(runId);
  } else if (amount.lt(0)) {
    run.draws.push({ lotId, amount: amount.neg() });
  } else {
    undraw(run, lotId, amount);
  }
}

/** Takes off the last draws of a lot. */
function undraw(run: RunState, lotId: string, amount: Decimal): void {
  let rest = amount;
  for (const draw of run.draws.toReversed()) {
    if (draw.lotId !== lotId || rest.isZero()) continue;
    const part = Decimal.min(draw.amount, rest);
    draw.amount = draw.amount.sub(part);
    rest = rest.sub(part);
  }
  if (!rest.isZero()) throw new Error(`more credit is given back to lot ${lotId} than was drawn`);
  run.draws = run.draws.filter((draw) => !draw.amount.isZero());
}
