import { Kysely, sql } from 'kysely';
import { openPool } from '../postgres/pool.ts';
import { type DatabaseServer, databaseServer, refuseUnfit } from '../postgres/server.ts';
import { createSlots, type Slots } from '../slots.ts';
import type { ControlDb } from './control-db.ts';
import { type Lock, type Locks, READING } from './locks.ts';
import { type OneHandle, oneHandle } from './one-handle.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { migratePostgres, unknownToPostgres } from './postgres-migrate.ts';

const SCHEMA = 'control';
const MAX_CONNECTIONS = 20;
/** Transactions that may wait for one another: the other connections are left for what waits for nobody. */
const MAX_TRANSACTIONS = 12;
const STATEMENT_TIMEOUT_MS = 30_000;

/** Of the whole control plane; held together with others by those that name what they are about. */
const EVERYTHING = 0x636f6e74;

/**
 * Opens the database, applies what migrations are missing.
 * @param url postgres://…, of a database whose locale is C.UTF-8
 * @throws Error when it sorts text in another way, or is newer than this program
 */
export async function openPostgresControlDb(url: string, migrationsFolder: string): Promise<PostgresControlDb> {
  const pool = openPool({
    url,
    schema: SCHEMA,
    name: 'control',
    maxConnections: MAX_CONNECTIONS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    await refuseUnfit(pool);
    await migratePostgres(pool, SCHEMA, migrationsFolder);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const handles = oneHandle();
  const kysely = new Kysely<unknown>({ dialect: postgresDialect(pool), plugins: [handles.plugin] });
  const db = wrap(kysely, {
    handles,
    slots: createSlots(MAX_TRANSACTIONS),
    close: () => kysely.destroy(),
    unknownMigrations: () => unknownToPostgres(pool, migrationsFolder),
  });
  return { ...db, server: databaseServer(pool) };
}

export interface PostgresControlDb extends ControlDb {
  server: DatabaseServer;
}

interface Whole extends Pick<ControlDb, 'close' | 'unknownMigrations'> {
  handles: OneHandle;
  /** Of transactions that may wait for others. */
  slots: Slots;
}

/** @param held what the transaction of this handle keeps from others; for the handle outside of them nothing */
function wrap(kysely: Kysely<unknown>, whole: Whole, held?: { locks: Locks | undefined }): ControlDb {
  const having = <T>(trx: Kysely<unknown>, locks: Locks | undefined, work: (db: ControlDb) => Promise<T>): Promise<T> =>
    whole.handles.holding(() => work(wrap(trx.withoutPlugins(), whole, { locks })));
  const joining = async <T>(work: (db: ControlDb) => Promise<T>, locks: Locks | undefined): Promise<T> => {
    await takeMore(kysely, held?.locks, locks);
    return work(wrap(kysely, whole, held));
  };
  const begin = (): ReturnType<typeof kysely.transaction> => {
    whole.handles.beforeWaiting();
    return kysely.transaction();
  };
  return {
    kysely,
    transaction: async (work, locks) => {
      if (kysely.isTransaction) return joining(work, locks);
      if (locks === READING) return reading(begin(), (trx) => having(trx, locks, work));
      whole.handles.beforeWaiting();
      return whole.slots(() =>
        begin().execute(async (trx) => {
          await takeFirst(trx.withoutPlugins(), locks);
          return having(trx as Kysely<unknown>, locks, work);
        }),
      );
    },
    withoutSync: async (work) => {
      if (kysely.isTransaction) return work(wrap(kysely, whole, held));
      return begin().execute(async (trx) => {
        await sql`SET LOCAL synchronous_commit = off`.execute(trx.withoutPlugins());
        return having(trx as Kysely<unknown>, [], work);
      });
    },
    alone: (lock, work) => {
      whole.handles.beforeWaiting();
      return kysely.connection().execute((own) => underLock(own.withoutPlugins(), lock, work));
    },
    check: async () => {
      await sql`SELECT 1`.execute(kysely);
    },
    close: whole.close,
    unknownMigrations: whole.unknownMigrations,
  };
}

/** Of a connection, not of a transaction: the work may take long. A connection that is lost gives it back. */
async function underLock<T>(own: Kysely<unknown>, lock: Lock, work: () => Promise<T>): Promise<T> {
  await sql`SELECT pg_advisory_lock(hashtextextended(${lock}, 0))`.execute(own);
  try {
    return await work();
  } finally {
    await sql`SELECT pg_advisory_unlock(hashtextextended(${lock}, 0))`.execute(own);
  }
}

/** One moment, and nothing is written. */
async function reading<T>(
  begin: ReturnType<Kysely<unknown>['transaction']>,
  work: (trx: Kysely<unknown>) => Promise<T>,
): Promise<T> {
  const transaction = begin.setIsolationLevel('repeatable read').setAccessMode('read only');
  try {
    return await transaction.execute((trx) => work(trx as Kysely<unknown>));
  } catch (error) {
    throw faultOfReader(error);
  }
}

const READ_ONLY = '25006';

/** Who only reads is refused a write by a fault of the program, not by a database that is a copy. */
function faultOfReader(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === READ_ONLY ? cause : error;
}

/**
 * The first statements of a transaction: what comes after them sees what the holder before has done. Everybody takes the
 * one of everything first, and the named ones in one order, so nobody waits in a circle.
 */
async function takeFirst(own: Kysely<unknown>, locks: Locks | undefined): Promise<void> {
  if (locks === undefined) return takeEverything(own);
  await sql`SELECT pg_advisory_xact_lock_shared(${sql.lit(EVERYTHING)})`.execute(own);
  await takeNamed(own, locks);
}

/**
 * Of work that joins a transaction: what it needs beyond what that one keeps. Whoever has a lock gets it again, and what a
 * savepoint has given up is taken anew. Two that take further ones in different orders are found by the database, which
 * ends one of them: 503, and once more.
 */
async function takeMore(own: Kysely<unknown>, held: Locks | undefined, locks: Locks | undefined): Promise<void> {
  if (held === undefined || held === READING) return;
  if (locks === undefined) return takeEverything(own);
  await takeNamed(own, locks);
}

async function takeEverything(own: Kysely<unknown>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${sql.lit(EVERYTHING)})`.execute(own);
}

async function takeNamed(own: Kysely<unknown>, locks: Locks): Promise<void> {
  if (locks === READING || locks.length === 0) return;
  await sql`SELECT pg_advisory_xact_lock(lock) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS lock FROM unnest(${[...locks]}::text[]) AS name ORDER BY lock
  ) AS locks`.execute(own);
}
