/** Which charges fall due when. Pure. */
import type { Charge } from './types.ts';

/** The instants at which open charges fall due, in order, up to one. */
export function dueInstants(charges: readonly Charge[], untilMs: number): number[] {
  const due = charges.filter((charge) => isOpen(charge) && charge.invoiceAtMs <= untilMs);
  return [...new Set(due.map(({ invoiceAtMs }) => invoiceAtMs))].sort((a, b) => a - b);
}

/** Charges that are paid from credits alone never reach an invoice. */
export function isOpen(charge: Charge): boolean {
  return charge.state === 'open' && charge.settlementMode === 'credit_then_invoice';
}
