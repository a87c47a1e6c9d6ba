import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import { allocatedTo, type Book, openBook } from './book.ts';
import { readLedger, writeLedger } from './ledger.ts';
import { type AsOf, paysFor } from './order.ts';
import { creditRepository } from './repository.ts';
import { settleRun } from './runs.ts';
import type { StoredLot } from './stored.ts';
import type { SettlementMode } from './types.ts';

/** What credit may pay, as one booking: a line of an invoice. What credit does not pay of it stands on the invoice. */
export interface PayableRun {
  id: string;
  /** Of the transaction, and what it is about. */
  name: string;
  labels: Readonly<Record<string, string>>;
  feature: string | undefined;
  /** What it comes to before credit and taxes. Zero or less: all that it drew is given back. */
  total: Decimal;
  /** credit_only: what credit does not pay is used in advance. */
  mode: SettlementMode;
  /** Which credit is seen, and from when it counts as used: the end of what it is for. */
  asOfMs: number;
  /** What it came to by instants at which credit expired: that credit pays for what was used until then. */
  cuts: readonly { atMs: number; total: Decimal }[];
}

/** Runs that are paid together, in their order. */
export interface Payable {
  runs: readonly PayableRun[];
  /** What they come to with what reduces them as a whole: credit pays no more than this. */
  limit: Decimal;
}

/** What one grant pays of a run. */
export interface CreditUse {
  /** Of the grant; undefined: its purchase fell through, and other credit is to pay. */
  id?: string;
  amount: string;
  description: string;
}

/** By the runs' ids; a run that draws nothing is absent. */
export type CreditUses = ReadonlyMap<string, readonly CreditUse[]>;

const NOTHING: CreditUses = new Map();

/**
 * Makes what runs took from credit what they come to now: draws what is missing as far as there is credit, gives back what
 * is too much. It must run in the transaction that stores what they are for.
 * @param reasonId different for each step; the same again changes nothing
 */
export async function drawCredits(
  scope: CustomerScope,
  currency: Currency,
  payable: Payable,
  reasonId: string,
): Promise<CreditUses> {
  const credits = creditRepository(scope);
  const owner = { customerId: scope.customerId, currency: currency.code };
  // What is used in advance needs no grant.
  const isBounded = payable.runs.every(({ mode }) => mode === 'credit_then_invoice');
  if (isBounded && !(await credits.hasLots(owner))) return NOTHING;
  const { uses, begun } = await writeLedger(scope, { ...owner, digits: currency.digits }, ({ book, stored, nowMs }) => {
    const known = new Set(book.runs.keys());
    payInOrder(book, payable, { nowMs, reasonId });
    return { uses: usesOf(book, stored, payable), begun: payable.runs.filter(({ id }) => isNew(book, known, id)) };
  });
  const createdAtMs = scope.clock.nowMs();
  await credits.insertRuns(begun.map(({ id, name, labels }) => ({ ...owner, id, name, labels, createdAtMs })));
  return uses;
}

/** When credit expires that may pay for one of some features, each with its instants in order. */
export async function expiriesOf(
  scope: CustomerScope,
  currency: string,
  features: readonly (string | undefined)[],
): Promise<ReadonlyMap<string | undefined, readonly number[]>> {
  const lots = await creditRepository(scope).lots(scope.customerId, currency);
  const ofFeature = (feature: string | undefined) =>
    lots.flatMap(({ lot }) => (lot.expiresAtMs !== undefined && paysFor(lot, feature) ? [lot.expiresAtMs] : []));
  return new Map([...new Set(features)].map((feature) => [feature, [...new Set(ofFeature(feature))].sort(ascending)]));
}

const ascending = (a: number, b: number) => a - b;

/** Gives back all that runs drew. It must run in the transaction in which what they are for goes. */
export async function releaseRuns(
  scope: CustomerScope,
  currency: Currency,
  runIds: readonly string[],
  reasonId: string,
): Promise<void> {
  const owner = { customerId: scope.customerId, currency: currency.code };
  if (runIds.length === 0 || !(await creditRepository(scope).hasLots(owner))) return;
  await writeLedger(scope, { ...owner, digits: currency.digits }, ({ book, nowMs }) => {
    for (const runId of runIds) {
      const feature = book.runs.get(runId)?.feature;
      const run = { id: runId, feature, mode: 'credit_then_invoice' as const };
      settleTo(book, run, ZERO, { atMs: nowMs }, { nowMs, reasonId, part: 'all', told: nowMs });
    }
  });
}

/** What `drawCredits` would say if these were paid one after the other, for the last of them. Nothing is stored. */
export async function simulateDraws(
  scope: CustomerScope,
  currency: Currency,
  payables: readonly Payable[],
): Promise<CreditUses> {
  const { customerId } = scope;
  if (!(await creditRepository(scope).hasLots({ customerId, currency: currency.code }))) return NOTHING;
  const ledger = await readLedger(scope, currency.code, currency.digits);
  const book = openBook(ledger);
  const nowMs = Math.max(scope.clock.nowMs(), ledger.movements.at(-1)?.knownAtMs ?? 0);
  for (const [index, payable] of payables.entries())
    payInOrder(book, payable, { nowMs, reasonId: `simulated-${index}` });
  const last = payables.at(-1);
  return last === undefined ? NOTHING : usesOf(book, ledger.stored, last);
}

/**
 * First what is too much is given back, what comes last first; then what expired pays for what was used before, in the order
 * of time; then the runs are paid in their order.
 */
function payInOrder(book: Book, { runs, limit }: Payable, { nowMs, reasonId }: Omit<Payment, 'part' | 'told'>): void {
  const told = new Map(runs.map(({ id }) => [id, book.runs.get(id)?.knownAtMs]));
  const settle = (run: PayableRun, total: Decimal, asOf: AsOf, part: string, mode: SettlementMode = run.mode) =>
    settleTo(book, { ...run, mode }, total, asOf, { nowMs, reasonId, part, told: told.get(run.id) });
  for (const run of runs) {
    if (run.total.lt(allocatedTo(book, run.id))) settle(run, run.total, { atMs: run.asOfMs }, 'less');
  }
  let free = limit.sub(sumDecimals(runs.map(({ id }) => allocatedTo(book, id))));
  for (const run of runs.toReversed()) {
    const has = allocatedTo(book, run.id);
    if (!free.lt(0) || has.isZero()) continue;
    settle(run, Decimal.max(ZERO, has.add(free)), { atMs: run.asOfMs }, 'over');
    free = free.add(has.sub(allocatedTo(book, run.id)));
  }
  const pay = (...[run, total, ...rest]: Parameters<typeof settle>) => {
    const has = allocatedTo(book, run.id);
    const wanted = Decimal.min(total, run.total, has.add(free));
    if (!wanted.gt(has)) return;
    settle(run, wanted, ...rest);
    free = free.sub(allocatedTo(book, run.id).sub(has));
  };
  const cuts = runs.flatMap((run) => run.cuts.map((cut) => ({ run, ...cut }))).sort((a, b) => a.atMs - b.atMs);
  for (const { run, atMs, total } of cuts) pay(run, total, { atMs, isCut: true }, `cut-${atMs}`, 'credit_then_invoice');
  for (const run of runs) pay(run, run.total, { atMs: run.asOfMs }, 'total');
}

interface Payment {
  nowMs: number;
  reasonId: string;
  part: string;
  /** When the run was last booked. */
  told: number | undefined;
}

/** What happened since the run was last booked is dated when it happened, what changes of an earlier time is dated now. */
function settleTo(
  book: Book,
  { id: runId, feature, mode }: Pick<PayableRun, 'id' | 'feature' | 'mode'>,
  total: Decimal,
  asOf: AsOf,
  { nowMs, reasonId, part, told = Number.NEGATIVE_INFINITY }: Payment,
): void {
  const atMs = Math.min(asOf.atMs, nowMs);
  settleRun(book, {
    runId,
    ...(feature !== undefined && { feature }),
    mode,
    total,
    asOf,
    bookedAtMs: atMs > told ? atMs : nowMs,
    nowMs,
    reasonId: `${reasonId}:${runId}:${part}`,
  });
}

function isNew(book: Book, known: ReadonlySet<string>, runId: string): boolean {
  return !known.has(runId) && book.runs.has(runId);
}

function usesOf(book: Book, stored: ReadonlyMap<string, StoredLot>, { runs }: Payable): CreditUses {
  const uses = new Map<string, readonly CreditUse[]>();
  for (const { id } of runs) {
    const run = book.runs.get(id);
    if (run === undefined) continue;
    const amounts = new Map<string, Decimal>();
    for (const { lotId, amount } of run.draws) amounts.set(lotId, amount.add(amounts.get(lotId) ?? ZERO));
    const own = [...amounts].map(([lotId, amount]): CreditUse => {
      return { id: lotId, amount: formatDecimal(amount), description: stored.get(lotId)?.name ?? 'Credit' };
    });
    if (run.advance.gt(0)) own.push({ amount: formatDecimal(run.advance), description: 'Credit to come' });
    if (own.length > 0) uses.set(id, own);
  }
  return uses;
}
