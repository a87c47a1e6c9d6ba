/**
 * What a transaction keeps from others while it runs, where many may write at once (PostgreSQL; SQLite has one writer).
 *
 * A transaction that names nothing has the whole control plane for itself: to forget a name costs time, and nothing else.
 * One that names what it is about (a customer, a key of the catalogue) waits for those that name the same, and for those
 * that name nothing. `READING` waits for nobody: it sees one moment, and must not write.
 */
export type Locks = readonly Lock[] | typeof READING;

/** The name of something that one transaction at a time may be about. */
export type Lock = string & { readonly brand: unique symbol };

export const READING = 'reading';

/** All that concerns one customer: subscriptions, entitlements, charges, invoices. */
export const customerLock = (customerId: string): Lock => `customer:${customerId}` as Lock;

/** The versions of one key. @param table of plans, of add-ons */
export const catalogLock = (table: string, key: string): Lock => `${table}:${key}` as Lock;

/** Numbers of invoices. The last one that a transaction takes: who has it waits for nothing more. */
export const INVOICE_NUMBERS = 'invoice numbers' as Lock;

/** Who does the billing runs, and how far they are. */
export const BILLING_RUNS = 'billing runs' as Lock;

/** Which access tokens there are. */
export const ACCESS_TOKENS = 'access tokens' as Lock;

/** Has the usage store keep figures for the meters that there are. */
export const ROLLUPS = 'roll-ups' as Lock;

/** The sessions of one person or token. */
export const sessionsLock = (ownerId: string): Lock => `sessions:${ownerId}` as Lock;

/**
 * What several transactions that run as one have to keep.
 * @returns undefined: everything
 */
export function locksOfAll(each: readonly (Locks | undefined)[]): Locks | undefined {
  if (each.includes(undefined)) return undefined;
  if (each.every((locks) => locks === READING)) return READING;
  return [...new Set(each.flatMap((locks) => (locks === undefined || locks === READING ? [] : locks)))];
}
