import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sqlite } from './sqlite.ts';

export interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings a database file to the newest schema: applies, in order and each in a transaction of its own, the numbered
 * files ("0001-events.sql") of a folder that it has not seen yet. The write lock is taken before the list of applied
 * ones is read, so that two processes never apply the same file. A file whose number is below applied ones is applied
 * all the same: it came to the program later.
 * @returns the names of the files that were applied now.
 * @throws Error when an applied file has been changed since, when two files have one number, or when the database is
 * newer than this program.
 */
export function migrateSqlite(db: Sqlite, folder: string): string[] {
  const migrations = readMigrations(folder);
  db.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)`);
  const applied: string[] = [];
  for (const migration of migrations) {
    db.transaction(() => {
      if (isApplied(db, migration)) return;
      db.exec(migration.sql);
      db.prepare(`INSERT INTO schema_migrations VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'))`).run(
        migration.version,
        migration.name,
        migration.checksum,
      );
      applied.push(migration.name);
    }).immediate();
  }
  refuseNewer(readApplied(db), migrations);
  return applied;
}

function isApplied(db: Sqlite, migration: Migration): boolean {
  const row = db.prepare('SELECT checksum FROM schema_migrations WHERE version = ?').get(migration.version) as
    | { checksum: string }
    | undefined;
  if (row === undefined) return false;
  refuseChanged(migration, row.checksum);
  return true;
}

export function refuseChanged({ name, checksum }: Pick<Migration, 'name' | 'checksum'>, applied: string): void {
  if (applied !== checksum) {
    throw new Error(`migration ${name} was changed after it had been applied: restore the original file`);
  }
}

type Applied = Pick<Migration, 'version' | 'name'>;

/** @param applied what the database has */
export function refuseNewer(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const [unknown] = unknownAmong(applied, migrations);
  if (unknown !== undefined) {
    throw new Error(`the database has migration ${unknown}, this program does not know it: use a newer program`);
  }
}

/**
 * Finds migrations that a newer program has applied since this one has opened the file.
 * @returns reads their names, in their order
 */
export function prepareUnknownMigrations(db: Sqlite, folder: string): () => string[] {
  const migrations = readMigrations(folder);
  return () => unknownAmong(readApplied(db), migrations);
}

function readApplied(db: Sqlite): Applied[] {
  return db.prepare('SELECT version, name FROM schema_migrations ORDER BY version').all() as Applied[];
}

/** The names of those that this program does not know. */
export function unknownAmong(applied: readonly Applied[], migrations: readonly Migration[]): string[] {
  const known = new Set(migrations.map((migration) => migration.version));
  return applied.flatMap(({ version, name }) => (known.has(version) ? [] : [name]));
}

/** Numbers may have gaps: they are given out before the work on them is done, and it is not done in their order. */
export function readMigrations(folder: string): Migration[] {
  const migrations = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const digits = /^(\d{4})-/.exec(name)?.[1];
      if (digits === undefined) throw new Error(`migration ${name} in ${folder}: the name must begin with 4 digits`);
      const sql = readFileSync(join(folder, name), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      return { version: Number.parseInt(digits, 10), name, sql, checksum };
    });
  for (const [index, { version, name }] of migrations.entries()) {
    const before = migrations[index - 1];
    if (before?.version === version) throw new Error(`migrations ${before.name} and ${name}: the number is the same`);
  }
  return migrations;
}
