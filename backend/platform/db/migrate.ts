import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sqlite } from './sqlite.ts';

interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings a database file to the newest schema: applies, in order and each in a transaction of its own, the numbered
 * files ("0001-events.sql") of a folder that it has not seen yet. The write lock is taken before the list of applied
 * ones is read, so that two processes never apply the same file.
 * @returns the names of the files that were applied now.
 * @throws Error when an applied file has been changed since, or the database is newer than this program.
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
  refuseNewerDatabase(db, migrations);
  return applied;
}

function isApplied(db: Sqlite, migration: Migration): boolean {
  const row = db.prepare('SELECT checksum FROM schema_migrations WHERE version = ?').get(migration.version) as
    | { checksum: string }
    | undefined;
  if (row === undefined) return false;
  if (row.checksum !== migration.checksum) {
    throw new Error(`migration ${migration.name} was changed after it had been applied: restore the original file`);
  }
  return true;
}

function refuseNewerDatabase(db: Sqlite, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0;
  const row = db.prepare('SELECT max(version) AS version FROM schema_migrations').get() as { version: number | null };
  if ((row.version ?? 0) > newest) {
    throw new Error(
      `the database has schema version ${row.version}, this program knows ${newest}: use a newer program`,
    );
  }
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name, index) => {
      const version = Number.parseInt(name, 10);
      if (version !== index + 1) throw new Error(`migration ${name} in ${folder}: expected number ${index + 1}`);
      const sql = readFileSync(join(folder, name), 'utf8');
      return { version, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}
