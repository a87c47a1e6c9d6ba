import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import SqliteDatabase from 'better-sqlite3';

/**
 * Copies a database that may be in use: the copy has one moment of it, everything committed until then. Writers are not
 * held up. The copy is on disk when this returns.
 * @param target must not exist
 */
export function copyDatabase(source: string, target: string): void {
  const db = new SqliteDatabase(source, { readonly: true, fileMustExist: true });
  try {
    db.pragma('busy_timeout = 5000');
    db.prepare('VACUUM INTO ?').run(target);
  } finally {
    db.close();
  }
  syncFile(target);
}

/** @returns what SQLite finds wrong with a database file; empty when it is sound */
export function findDamage(path: string): string[] {
  const db = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  try {
    const found = db.pragma('quick_check', { simple: false }) as { quick_check: string }[];
    return found.map((row) => row.quick_check).filter((text) => text !== 'ok');
  } finally {
    db.close();
  }
}

/** Has a file, or a folder's entries, on disk before it returns. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
