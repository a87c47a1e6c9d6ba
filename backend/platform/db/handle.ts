import type { Kysely } from 'kysely';

/** What a repository reads and writes through: the database, a transaction of it, or a scope. */
export interface DbHandle {
  readonly kysely: Kysely<unknown>;
}

/** The same handle, typed with a module's tables. */
export function withTables<Tables>(db: DbHandle): Kysely<Tables> {
  return db.kysely as Kysely<Tables>;
}
