import type { Book, LotState } from './book.ts';
import type { CreditLot } from './types.ts';

/** As of when lots are looked at. */
export interface AsOf {
  atMs: number;
  /** A cut: usage just before that instant, which still sees what expires at it and not what begins at it. */
  isCut?: boolean;
}

/** Whether credit may pay for a feature; usage without one is paid by unrestricted credit only. */
export function paysFor(lot: CreditLot, feature: string | undefined): boolean {
  return lot.features.length === 0 || (feature !== undefined && lot.features.includes(feature));
}

/** Whether a lot is there at an instant, whatever is left of it. */
function isUsable(lot: CreditLot, { atMs, isCut }: AsOf): boolean {
  if (lot.fundedAtMs === undefined || lot.voidedAtMs !== undefined) return false;
  const expiresAtMs = lot.expiresAtMs ?? Number.POSITIVE_INFINITY;
  return isCut ? lot.effectiveAtMs < atMs && atMs <= expiresAtMs : lot.effectiveAtMs <= atMs && atMs < expiresAtMs;
}

/**
 * The lots that may pay, the first to be drawn first: by priority, then what is restricted to features (it is worth
 * less, so it goes first), then what expires earliest, then the order of creation.
 */
export function drawDownOrder(book: Book, feature: string | undefined, asOf: AsOf): LotState[] {
  const usable = [...book.lots.values()].filter(({ lot }) => paysFor(lot, feature) && isUsable(lot, asOf));
  return usable.sort((a, b) => compare(a.lot, b.lot));
}

function compare(a: CreditLot, b: CreditLot): number {
  return (
    a.priority - b.priority || unrestricted(a) - unrestricted(b) || expiryOrder(a) - expiryOrder(b) || a.seq - b.seq
  );
}

function unrestricted(lot: CreditLot): number {
  return lot.features.length === 0 ? 1 : 0;
}

/** What never expires comes after all instants; finite, so that two of them are equal. */
function expiryOrder({ expiresAtMs = Number.MAX_SAFE_INTEGER }: CreditLot): number {
  return expiresAtMs;
}
