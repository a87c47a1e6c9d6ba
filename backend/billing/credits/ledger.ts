import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { type Book, openBook, putLot } from './book.ts';
import { expireUntil, fundLot } from './lots.ts';
import { creditRepository } from './repository.ts';
import type { StoredLot } from './stored.ts';
import type { LedgerRecords } from './types.ts';

/** The ledger of a customer in one currency, with what its lots are called. */
export interface StoredLedger extends LedgerRecords {
  stored: ReadonlyMap<string, StoredLot>;
}

export async function readLedger(scope: CustomerScope, currency: string, digits: number): Promise<StoredLedger> {
  const credits = creditRepository(scope);
  const lots = await credits.lots(scope.customerId, currency);
  const movements = await credits.movements(scope.customerId, currency);
  return { digits, lots: lots.map(({ lot }) => lot), movements, stored: new Map(lots.map((one) => [one.lot.id, one])) };
}

/** A ledger that is being written, brought up to now. */
export interface OpenLedger {
  book: Book;
  stored: Map<string, StoredLot>;
  /** Never before what the ledger knows already, whatever the clock does. */
  nowMs: number;
}

/**
 * Writes one step of the ledger: all of it or nothing. It must run in a transaction, and everything that the step depends
 * on is read within it, so that two steps of one customer follow each other.
 */
export async function writeLedger<Result>(
  scope: CustomerScope,
  { currency, digits }: { currency: string; digits: number },
  work: (ledger: OpenLedger) => Result,
): Promise<Result> {
  const read = await readLedger(scope, currency, digits);
  const book = openBook(read);
  const nowMs = Math.max(scope.clock.nowMs(), read.movements.at(-1)?.knownAtMs ?? 0);
  expireUntil(book, nowMs);
  const ledger: OpenLedger = { book, stored: new Map(read.stored), nowMs };
  const result = work(ledger);
  const credits = creditRepository(scope);
  await credits.storeLots([...ledger.stored.values()].flatMap((one) => changedOf(read, book, one, nowMs)));
  await credits.append({ customerId: scope.customerId, currency }, book.added);
  return result;
}

/** Adds a lot and books it; one that is bought by invoice is booked when its line stands on a draft. */
export function addLot({ book, stored, nowMs }: OpenLedger, asked: StoredLot): StoredLot {
  const last = [...book.lots.values()].at(-1)?.lot;
  const lot = { ...asked.lot, seq: last === undefined ? 1 : last.seq + 1 };
  if (lot.funding === 'invoice') putLot(book, lot);
  else fundLot(book, lot, { nowMs, reasonId: `grant:${lot.id}` });
  const added = { ...asked, lot: book.lots.get(lot.id)?.lot ?? lot };
  stored.set(lot.id, added);
  return added;
}

/** What the book, or the step, has made of a lot. */
function changedOf({ stored }: StoredLedger, book: Book, one: StoredLot, nowMs: number): StoredLot[] {
  const lot = book.lots.get(one.lot.id)?.lot ?? one.lot;
  const isChanged = book.changed.has(lot.id) || stored.get(lot.id) !== one;
  return isChanged ? [{ ...one, lot, updatedAtMs: nowMs }] : [];
}
