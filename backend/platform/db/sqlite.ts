import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

export type Sqlite = SqliteDatabase.Database;

/**
 * Opens a SQLite file the way this project needs it.
 * - WAL with synchronous=FULL: a commit that returned survives a power failure. The library's default for WAL is NORMAL,
 *   which may lose the last commits, and an answer of 202 would then be a lie.
 * - busy_timeout: a backup or a checker may hold the file for a moment.
 */
export function openSqlite(path: string): Sqlite {
  // Events hold addresses of clients: the folder is the owner's alone.
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new SqliteDatabase(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('busy_timeout = 5000');
  return db;
}

/** Opens an existing file for reading only. It sees what other connections have committed. */
export function openSqliteReader(path: string): Sqlite {
  const db = new SqliteDatabase(path, { readonly: true });
  db.pragma('busy_timeout = 5000');
  return db;
}
