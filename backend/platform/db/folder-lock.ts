import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { formatInstant } from '../instant.ts';

/** Who writes a folder: what a second process is told. */
export interface FolderHolder {
  /** "the backend", "npm run restore" */
  program: string;
  startedAtMs: number;
}

/** A folder that this process alone may write. */
export interface FolderLock {
  release(): void;
}

/** Somebody else writes the folder. The message names who, for people. */
export class FolderTaken extends Error {}

const LOCK_FILE = 'owner.lock';

/**
 * Takes a folder for this process. The lock is a write lock on a small SQLite file that is held open for life: one of
 * the system's file locks, which ends with the process however it ends, and which a second connection of the same
 * process does not get either. Who has it stands in the file, and can be read beside the lock. The file stays: to remove
 * it would let two have it. Nothing else may open it in this process, since closing it would give up the lock.
 * @throws FolderTaken
 */
export function lockFolder(folder: string, { program, startedAtMs }: FolderHolder): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new SqliteDatabase(join(folder, LOCK_FILE), { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY, name TEXT NOT NULL)');
    const name = `${program} (process ${process.pid} on ${hostname()}, since ${formatInstant(startedAtMs)})`;
    db.prepare('INSERT OR REPLACE INTO owner VALUES (1, ?)').run(name);
    // Between the two statements somebody else may be faster: then it is theirs.
    db.exec('COMMIT; BEGIN IMMEDIATE');
  } catch (error) {
    const holder = isBusy(error) ? holderOf(db) : undefined;
    db.close();
    if (holder === undefined) throw error;
    throw new FolderTaken(
      `${resolve(folder)} is in use by ${holder}: one process at a time may write it. Stop that one first.`,
    );
  }
  return { release: () => db.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}

function holderOf(db: SqliteDatabase.Database): string {
  try {
    const name = db.prepare('SELECT name FROM owner').pluck().get();
    return typeof name === 'string' ? name : 'another process';
  } catch {
    return 'another process';
  }
}
