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
export function customerLock(customerId: string): Lock {
  return `customer:${customerId}` as Lock;
}

/** All versions of one key of the catalogue. @param kind "plan", "addon" */
export function catalogLock(kind: string, key: string): Lock {
  return `catalog:${kind}:${key}` as Lock;
}

/**
 * What several transactions that run as one have to keep.
 * @returns undefined: everything
 */
export function locksOfAll(each: readonly (Locks | undefined)[]): Locks | undefined {
  if (each.includes(undefined)) return undefined;
  if (each.every((locks) => locks === READING)) return READING;
  return [...new Set(each.flatMap((locks) => (locks === undefined || locks === READING ? [] : locks)))];
}
