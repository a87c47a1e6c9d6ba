export { AppRefused, AppUnauthorized, TryLater } from './errors.ts';
export type { FailedCall, Journal } from './journal.ts';
export { createLooseJournal } from './journal.ts';
export { createOutgoing, type Outgoing } from './outgoing.ts';
export type { InvoiceWork, IssuedThere, PaymentApp, SeenPayment, SeenThere, SyncedDraft } from './port.ts';
export { outgoingRepository } from './repository.ts';
export type { Task } from './types.ts';
export { GONE } from './work-on-invoice.ts';
