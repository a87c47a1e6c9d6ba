import { Kysely, sql } from 'kysely';
import {
  type CommitLedger,
  claimLedger,
  type LedgerClaim,
  OwnershipLost,
  openCommitLedger,
  sharedCommits,
} from './commit-ledger.ts';
import { markPathOf } from './commit-mark.ts';
import type { DbHandle } from './handle.ts';
import type { Lock, Locks } from './locks.ts';
import { migrateSqlite, prepareUnknownMigrations } from './migrate.ts';
import { type OneHandle, oneHandle } from './one-handle.ts';
import { openSqlite, type Sqlite } from './sqlite.ts';
import { ControlDialect } from './sqlite-dialect.ts';
import { type InTransaction, withStatementCache } from './statement-cache.ts';

/**
 * The control plane's database: everything but events and roll-ups. Each module's repository declares its own tables
 * and narrows a handle with `withTables`; SQL stays dialect-neutral, so that PostgreSQL can follow.
 */
export interface ControlDb extends DbHandle {
  /**
   * Runs the work in one transaction; a throw rolls back. Inside one, the work joins it. What the work asks of another
   * handle is refused, since that one would wait for this transaction, and this one for it.
   * @param locks what it keeps from others meanwhile, where there can be others; default: everything
   */
  transaction<T>(work: (db: ControlDb) => Promise<T>, locks?: Locks): Promise<T>;
  /**
   * Runs single writes that wait for no disk. They reach it before any transaction that comes later does; when the power
   * fails, the last ones may be lost. Not for what an answer promises.
   */
  withoutSync<T>(work: (db: ControlDb) => Promise<T>): Promise<T>;
  /**
   * Runs work that is not a transaction while nobody else does what has the same name, at whichever backend. Here the
   * callers see to it: a file has one backend.
   */
  alone<T>(lock: Lock, work: () => Promise<T>): Promise<T>;
  /** Rejects when the database does not answer. */
  check(): Promise<void>;
  /** What a newer program has done to the file since: this one must not go on with it. */
  unknownMigrations(): readonly string[] | Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How a backend owns the database. Without it nothing is fenced: for what has the file for itself, such as a test. */
export interface ControlOwnership {
  dataId: string;
  epoch: number;
  /** The commits of the usage store, written down with each of this database's. */
  usageCommits: SharedArrayBuffer;
  /** Told once that another process has the database. */
  onLost(error: OwnershipLost): void;
}

/** The table with the database's ledger row, and its column for the usage store's commits. */
export const CONTROL_LEDGER = 'data_folder';
export const USAGE_COMMITS = 'usage_commits';

/** Opens the file, applies what migrations are missing. @param migrationsFolder folder of numbered .sql files */
export function openControlDb(path: string, migrationsFolder: string, ownership?: ControlOwnership): ControlDb {
  const sqlite: Sqlite = openSqlite(path);
  migrateSqlite(sqlite, migrationsFolder);
  let isSynced = true;
  const ledger = ownership && ownedLedger(sqlite, path, ownership, () => isSynced);
  const inTransaction: InTransaction | undefined =
    ledger &&
    ((write) => {
      const result = sqlite
        .transaction(() => {
          ledger.enter();
          return write();
        })
        .immediate();
      ledger.committed();
      return result;
    });
  const handles = oneHandle();
  const kysely = new Kysely<unknown>({
    dialect: new ControlDialect(withStatementCache(sqlite, inTransaction), ledger),
    plugins: [handles.plugin],
  });
  return wrap(kysely, {
    handles,
    close: async () => {
      await kysely.destroy();
      ledger?.close();
    },
    unknownMigrations: prepareUnknownMigrations(sqlite, migrationsFolder),
    // Not by a statement of kysely's: this one takes effect when it is prepared, and prepared statements are kept.
    setSynchronous: (mode) => {
      sqlite.pragma(`synchronous = ${mode}`);
      isSynced = mode === 'FULL';
    },
  });
}

function ownedLedger(
  sqlite: Sqlite,
  path: string,
  { dataId, epoch, usageCommits, onLost }: ControlOwnership,
  isSynced: () => boolean,
): CommitLedger {
  const claim: LedgerClaim = {
    table: CONTROL_LEDGER,
    dataId,
    epoch,
    markPath: markPathOf(path),
    shared: sharedCommits(0),
    follows: { column: USAGE_COMMITS, shared: usageCommits },
  };
  claimLedger(sqlite, claim);
  const ledger = openCommitLedger(sqlite, claim);
  return {
    enter: () => {
      try {
        ledger.enter();
      } catch (error) {
        if (error instanceof OwnershipLost) onLost(error);
        throw error;
      }
    },
    // The mark must not say more than what is on disk: a write without sync is told with the next one that has it.
    committed: () => (isSynced() ? ledger.committed() : undefined),
    close: ledger.close,
  };
}

/** What concerns the database as a whole, whatever the handle. */
interface Whole extends Pick<ControlDb, 'close' | 'unknownMigrations'> {
  handles: OneHandle;
  setSynchronous(mode: 'NORMAL' | 'FULL'): void;
}

function wrap(kysely: Kysely<unknown>, whole: Whole): ControlDb {
  /** The handle of whoever has the connection. */
  const having = <T>(own: Kysely<unknown>, work: (db: ControlDb) => Promise<T>): Promise<T> =>
    whole.handles.holding(() => work(wrap(own.withoutPlugins(), whole)));
  return {
    kysely,
    // Kysely gives SQLite one connection, so transactions queue up; a nested call joins the one that runs.
    transaction: async (work) => {
      if (kysely.isTransaction) return work(wrap(kysely, whole));
      whole.handles.beforeWaiting();
      return kysely.transaction().execute((trx) => having(trx as Kysely<unknown>, work));
    },
    withoutSync: async (work) => {
      if (kysely.isTransaction) return work(wrap(kysely, whole));
      whole.handles.beforeWaiting();
      // In a write-ahead log frames stand in the order of their commits, and a sync is one of all of them.
      return kysely.connection().execute(async (own) => {
        whole.setSynchronous('NORMAL');
        try {
          return await having(own, work);
        } finally {
          whole.setSynchronous('FULL');
        }
      });
    },
    alone: (_, work) => work(),
    check: async () => {
      await sql`SELECT 1`.execute(kysely);
    },
    close: whole.close,
    unknownMigrations: whole.unknownMigrations,
  };
}
