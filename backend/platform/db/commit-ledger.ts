import { openMarkFile } from './commit-mark.ts';
import type { Sqlite } from './sqlite.ts';

/** Another process owns the database now: nothing more may be written, and this process has to end. */
export class OwnershipLost extends Error {}

/** The row of a database file that says whose it is; each file that is owned has one, in a table of its own. */
export interface LedgerRow {
  /** What the files of a data folder share; null: never owned. */
  dataId: string | null;
  /** Rises with each owner: one with a lower number has lost it. */
  epoch: number;
  /** Transactions that owners have committed. */
  commits: number;
}

/** How an owner writes a database. Survives being handed to a thread. */
export interface LedgerClaim {
  table: string;
  dataId: string;
  epoch: number;
  markPath: string;
  /** Commits so far, for other threads to read: one BigInt64. */
  shared: SharedArrayBuffer;
  /** Another database whose commits are written down with each of this one's: what it had at least. */
  follows?: { column: string; shared: SharedArrayBuffer } | undefined;
}

/**
 * Counts the commits of one connection, fences it, and keeps the mark. The lock of the folder is what keeps a second
 * owner away; where it does not hold (a file system without locks, a removed lock file), the first transaction of the
 * old owner after the new one has claimed the file fails.
 */
export interface CommitLedger {
  /** To be called in each transaction that changes something. @throws OwnershipLost */
  enter(): void;
  /** To be called when the transaction is on disk. */
  committed(): void;
  close(): void;
}

export function openCommitLedger(db: Sqlite, claim: LedgerClaim): CommitLedger {
  const { table, dataId, epoch, markPath, follows } = claim;
  const other = follows === undefined ? '' : `, ${follows.column} = max(${follows.column}, ?)`;
  const bump = db
    .prepare(`UPDATE ${table} SET commits = commits + 1${other} WHERE owner_epoch = ? RETURNING commits`)
    .pluck();
  const followed = follows && new BigInt64Array(follows.shared);
  const mark = openMarkFile(markPath);
  const shared = new BigInt64Array(claim.shared);
  let commits = 0;
  return {
    enter() {
      const counted = bump.get(...(followed === undefined ? [] : [Atomics.load(followed, 0)]), epoch) as
        | number
        | undefined;
      if (counted === undefined) {
        throw new OwnershipLost('another process has taken over the data folder: this one must not write any more');
      }
      commits = counted;
    },
    committed() {
      mark.write({ dataId, commits });
      Atomics.store(shared, 0, BigInt(commits));
    },
    close: mark.close,
  };
}

/** @returns undefined for a database from before there were ledgers, or an empty one */
export function readLedger(db: Sqlite, table: string): LedgerRow | undefined {
  const has = db.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = 'owner_epoch'").get(table);
  if (has === undefined) return undefined;
  return db.prepare(`SELECT data_id AS dataId, owner_epoch AS epoch, commits FROM ${table}`).get() as LedgerRow;
}

/** Makes the database the caller's: whoever owned it before is fenced. To be called before its ledger is opened. */
export function claimLedger(db: Sqlite, { table, dataId, epoch, markPath, shared, follows }: LedgerClaim): void {
  db.prepare(`UPDATE ${table} SET data_id = ?, owner_epoch = ?`).run(dataId, epoch);
  if (follows !== undefined) {
    // As it is: where less than once was accepted, the next start must not find the same again.
    const now = Atomics.load(new BigInt64Array(follows.shared), 0);
    db.prepare(`UPDATE ${table} SET ${follows.column} = ?`).run(now);
  }
  const commits = readLedger(db, table)?.commits ?? 0;
  Atomics.store(new BigInt64Array(shared), 0, BigInt(commits));
  const mark = openMarkFile(markPath);
  mark.write({ dataId, commits });
  mark.close();
}

/** For the commits of one database: see `LedgerClaim.shared`. */
export function sharedCommits(commits: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  Atomics.store(new BigInt64Array(shared), 0, BigInt(commits));
  return shared;
}
