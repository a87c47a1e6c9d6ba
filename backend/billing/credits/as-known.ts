import { type Book, openBook } from './book.ts';
import { expireUntil } from './lots.ts';
import type { CreditLot, LedgerRecords } from './types.ts';

/**
 * The book as it was known at one instant, brought up to another: what was recorded later is not in it, and what expires
 * until then is. Asked again later about the same two instants, it says the same.
 */
export function bookAsKnown(records: LedgerRecords, { atMs, seenAtMs }: { atMs: number; seenAtMs: number }): Book {
  const movements = records.movements.filter(({ knownAtMs }) => knownAtMs <= seenAtMs);
  const lots = records.lots.flatMap((lot) => (lot.createdAtMs <= seenAtMs ? [lotAsKnown(lot, seenAtMs)] : []));
  const book = openBook({ digits: records.digits, lots, movements });
  expireUntil(book, atMs);
  return book;
}

function lotAsKnown({ fundedAtMs, droppedAtMs, voidedAtMs, ...lot }: CreditLot, seenAtMs: number): CreditLot {
  return {
    ...lot,
    ...(fundedAtMs !== undefined && fundedAtMs <= seenAtMs && { fundedAtMs }),
    ...(droppedAtMs !== undefined && droppedAtMs <= seenAtMs && { droppedAtMs }),
    ...(voidedAtMs !== undefined && voidedAtMs <= seenAtMs && { voidedAtMs }),
  };
}
