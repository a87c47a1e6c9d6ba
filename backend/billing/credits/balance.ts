import { type Decimal, sumDecimals } from '../../platform/decimal.ts';
import type { Book } from './book.ts';
import { paysFor } from './order.ts';
import type { CreditLot, CreditMovement } from './types.ts';

/**
 * What of the credit is looked at: all of it, what is restricted to no feature, or what may pay for one of some features.
 * Views overlap, so they do not add up.
 */
export type CreditView = 'all' | 'unrestricted' | readonly string[];

/** What is booked up to an instant, expiries and open advances included. */
export function settledAt(book: Book, atMs: number, view: CreditView): Decimal {
  return sumDecimals(
    book.movements.flatMap((one) => (one.bookedAtMs <= atMs && isInView(book, one, view) ? [one.amount] : [])),
  );
}

/** What is granted and not there yet: not booked, or effective later. */
export function pendingAt(book: Book, atMs: number, view: CreditView): Decimal {
  const unbooked = [...book.lots.values()].flatMap(({ lot }) =>
    isUnbooked(lot) && lot.createdAtMs <= atMs && seesLot(view, lot) ? [lot.amount] : [],
  );
  const later = book.movements.flatMap((one) =>
    isOfFunding(one) && one.knownAtMs <= atMs && one.bookedAtMs > atMs && isInView(book, one, view) ? [one.amount] : [],
  );
  return sumDecimals([...unbooked, ...later]);
}

/** What is left of a lot at an instant. */
export function leftAt(book: Book, lotId: string, atMs: number): Decimal {
  return sumDecimals(
    book.movements.flatMap((one) => (one.lotId === lotId && one.bookedAtMs <= atMs ? [one.amount] : [])),
  );
}

/** Usage without a feature may be paid by unrestricted credit only, so its advances stand in every view. */
export function isInView(book: Book, { lotId, feature }: CreditMovement, view: CreditView): boolean {
  if (view === 'all') return true;
  const lot = lotId === undefined ? undefined : book.lots.get(lotId)?.lot;
  if (lot !== undefined) return seesLot(view, lot);
  return feature === undefined || (view !== 'unrestricted' && view.includes(feature));
}

function seesLot(view: CreditView, lot: CreditLot): boolean {
  if (view === 'all') return true;
  if (view === 'unrestricted') return lot.features.length === 0;
  return paysFor(lot, undefined) || view.some((feature) => paysFor(lot, feature));
}

function isUnbooked({ fundedAtMs, droppedAtMs }: CreditLot): boolean {
  return fundedAtMs === undefined && droppedAtMs === undefined;
}

/** A lot that is taken away before it begins is pending no more. */
function isOfFunding({ kind }: CreditMovement): boolean {
  return kind === 'fund' || kind === 'void';
}
