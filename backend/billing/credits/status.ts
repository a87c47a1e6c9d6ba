import { leftAt } from './balance.ts';
import { type Book, lotState } from './book.ts';
import type { CreditLot } from './types.ts';

export type GrantStatus = 'pending' | 'active' | 'expired' | 'voided';

/** Voided wins over expired; credit that is used up stays active until it expires. */
export function statusOf(lot: CreditLot, atMs: number): GrantStatus {
  if (lot.voidedAtMs !== undefined && lot.voidedAtMs <= atMs) return 'voided';
  if (lot.fundedAtMs === undefined || lot.fundedAtMs > atMs || lot.effectiveAtMs > atMs) return 'pending';
  return lot.expiresAtMs !== undefined && lot.expiresAtMs <= atMs ? 'expired' : 'active';
}

/** Why a grant cannot be voided now; undefined where it can. */
export function whyNotVoided(book: Book, lotId: string, nowMs: number): string | undefined {
  const status = statusOf(lotState(book, lotId).lot, nowMs);
  if (status !== 'active') return `it is ${status}`;
  return leftAt(book, lotId, nowMs).gt(0) ? undefined : 'it is used up';
}
