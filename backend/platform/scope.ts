import type { Clock } from './clock.ts';
import type { ControlDb } from './db/control-db.ts';
import type { DbHandle } from './db/handle.ts';
import type { Locks } from './db/locks.ts';
import type { NewId } from './ids.ts';
import type { Logger } from './log.ts';

/**
 * What a piece of work runs in: where it reads and writes, whose time it goes by, and where its ids come from. Services
 * are made with one; what runs inside a transaction is given the transaction's, and hands that one on. To ask the outer
 * one there is a fault that the database tells at once (see `ControlDb.transaction`).
 */
export interface Scope extends DbHandle {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  /**
   * Runs the work in one transaction; a throw rolls back. Inside one, the work joins it.
   * @param locks see `Locks`: what it is about, so that it need not wait for all others
   */
  transaction<T>(work: (scope: Scope) => Promise<T>, locks?: Locks): Promise<T>;
  /** See `ControlDb.withoutSync`. */
  withoutSync<T>(work: (scope: Scope) => Promise<T>): Promise<T>;
}

/** What a scope is made of. */
export interface ScopeParts {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  log: Logger;
}

export function createScope({ db, clock, newId, log }: ScopeParts): Scope {
  const within = (own: ControlDb) => createScope({ db: own, clock, newId, log });
  return {
    kysely: db.kysely,
    clock,
    newId,
    log,
    transaction: (work, locks) => db.transaction((trx) => work(within(trx)), locks),
    withoutSync: (work) => db.withoutSync((own) => work(within(own))),
  };
}

/** The same at another time: its transactions go by that clock, too. */
export function atTime(scope: Scope, clock: Clock): Scope {
  return {
    ...scope,
    clock,
    transaction: (work, locks) => scope.transaction((own) => work(atTime(own, clock)), locks),
    withoutSync: (work) => scope.withoutSync((own) => work(atTime(own, clock))),
  };
}
