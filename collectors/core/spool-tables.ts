import Database from 'better-sqlite3';

/** The shape of the file that this version writes. */
const VERSION = 1;

/**
 * - `collector`: who has events here; `process` and `taken` number them for the backend's ledger, over all runs.
 * - `spool`: events that wait, numbered from 1 without gaps for each collector.
 * - `dead`: records that made no event (`unmapped`), and events that the endpoint refused (`rejected`).
 * - `cursor`: where a source has come to.
 */
const TABLES = `
CREATE TABLE collector (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, process TEXT NOT NULL, taken INTEGER NOT NULL,
  events INTEGER NOT NULL, bytes INTEGER NOT NULL, unmapped INTEGER NOT NULL, rejected INTEGER NOT NULL
) STRICT;
CREATE TABLE spool (
  collector INTEGER NOT NULL, number INTEGER NOT NULL, taken_at INTEGER NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (collector, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead (
  id INTEGER PRIMARY KEY, collector INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE TABLE cursor (
  collector INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collector, key)
) STRICT, WITHOUT ROWID;
`;

/** Pages of memory for the database, in KiB: the head of the spool and the cursors that are in use. */
const CACHE_KIB = 8 * 1024;
/** The log is taken over into the file when it has so many pages of 4 KiB. */
const CHECKPOINT_PAGES = 4000;

/** @throws Error whose message says why the file cannot be used, for the operator */
export function openSpoolFile(path: string): Database.Database {
  const db = open(path);
  try {
    // Held as long as the process lives, and gone with it however it dies: a second one is refused.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    // An acknowledgement says that the events are on disk.
    db.pragma('synchronous = FULL');
    db.pragma(`cache_size = -${CACHE_KIB}`);
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    prepare(db, path);
    return db;
  } catch (error) {
    db.close();
    throw isBusy(error) ? new Error(`${path} is in use by another process: is this collector running twice?`) : error;
  }
}

function open(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch (error) {
    throw new Error(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function prepare(db: Database.Database, path: string): void {
  db.transaction(() => {
    const version = db.pragma('user_version', { simple: true });
    if (version === VERSION) return;
    if (version !== 0) throw new Error(`${path} was written by another version of this program`);
    db.exec(TABLES);
    db.pragma(`user_version = ${VERSION}`);
  }).immediate();
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
