import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import { allocatedTo, type Book, openBook } from './book.ts';
import { readLedger, writeLedger } from './ledger.ts';
import { creditRepository } from './repository.ts';
import { settleRun } from './runs.ts';
import type { StoredLot } from './stored.ts';

/** What credit may pay, as one booking: a line of an invoice. What credit does not pay of it stands on the invoice. */
export interface PayableRun {
  id: string;
  /** Of the transaction, and what it is about. */
  name: string;
  labels: Readonly<Record<string, string>>;
  feature: string | undefined;
  /** What it comes to before credit and taxes. Zero or less: all that it drew is given back. */
  total: Decimal;
  /** Which credit is seen, and from when it counts as used: the end of what it is for. */
  asOfMs: number;
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
  if (!(await credits.hasLots(owner))) return NOTHING;
  const { uses, begun } = await writeLedger(scope, { ...owner, digits: currency.digits }, ({ book, stored, nowMs }) => {
    const known = new Set(book.runs.keys());
    payInOrder(book, payable, { nowMs, reasonId });
    return { uses: usesOf(book, stored, payable), begun: payable.runs.filter(({ id }) => isNew(book, known, id)) };
  });
  const createdAtMs = scope.clock.nowMs();
  await credits.insertRuns(begun.map(({ id, name, labels }) => ({ ...owner, id, name, labels, createdAtMs })));
  return uses;
}

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
      settle(book, { id: runId, feature, asOfMs: nowMs }, ZERO, { nowMs, reasonId, part: 'all' });
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

/** First what is too much is given back, so that what comes first is paid first from that, too. */
function payInOrder(book: Book, { runs, limit }: Payable, step: { nowMs: number; reasonId: string }): void {
  for (const run of runs) {
    if (run.total.lt(allocatedTo(book, run.id))) settle(book, run, run.total, { ...step, part: 'less' });
  }
  let left = limit;
  for (const run of runs) {
    const total = Decimal.max(ZERO, Decimal.min(run.total, left));
    const unpaid = settle(book, run, total, { ...step, part: 'total' });
    left = left.sub(total.sub(unpaid));
  }
}

/** What a run drew first counts from the end of what it is for; what changes of it later, from now. */
function settle(
  book: Book,
  { id: runId, feature, asOfMs }: Pick<PayableRun, 'id' | 'feature' | 'asOfMs'>,
  total: Decimal,
  { nowMs, reasonId, part }: { nowMs: number; reasonId: string; part: string },
): Decimal {
  const atMs = Math.min(asOfMs, nowMs);
  return settleRun(book, {
    runId,
    ...(feature !== undefined && { feature }),
    mode: 'credit_then_invoice',
    total,
    asOf: { atMs: asOfMs },
    bookedAtMs: book.runs.has(runId) ? nowMs : atMs,
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
