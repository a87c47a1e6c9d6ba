import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import {
  openPostgresUsageStore,
  type UsageStore,
  verifySqliteUsage,
} from '../../backend/metering/usage-store/index.ts';
import type { Clock } from '../../backend/platform/clock.ts';
import { type ControlDb, openControlDb } from '../../backend/platform/db/control-db.ts';
import { openPostgresControlDb } from '../../backend/platform/db/postgres-control-db.ts';
import { MIGRATIONS } from './database-template.ts';
import { createDatabase, endConnections } from './postgres-cluster.ts';
import { testClock } from './test-clock.ts';
import { openTestUsageStore } from './usage-store.ts';

/**
 * With TEST_ENGINE=postgresql the backends of tests have everything there: on the server of TEST_DATABASE_URL, or
 * on the suite's own. Their folder then holds the address of the database.
 */
const onPostgres = process.env['TEST_ENGINE'] === 'postgresql';

const noteOf = (folder: string): string => join(folder, 'control-url');

/**
 * Makes the control plane of a new backend, if its folder has none yet.
 * @returns removes it; to be called when it is closed, and nobody opens it again
 */
export async function makeControlPlane(folder: string): Promise<() => Promise<void>> {
  if (!onPostgres || existsSync(noteOf(folder))) return async () => {};
  const { url, drop } = await createDatabase({ copyOf: await template() });
  writeFileSync(noteOf(folder), url);
  return drop;
}

/** What has a backend process use the database of its folder. */
export async function processEnvironment(folder: string): Promise<{ DATABASE_URL?: string }> {
  if (!onPostgres) return {};
  await makeControlPlane(folder);
  return { DATABASE_URL: readFileSync(noteOf(folder), 'utf8') };
}

/** The events and totals of a test's backend. On PostgreSQL they are in the same database. */
export function openUsage(folder: string, clock: Clock): Promise<UsageStore> {
  if (!onPostgres || !existsSync(noteOf(folder))) return openTestUsageStore(join(folder, 'usage.sqlite'), clock);
  return openPostgresUsageStore(readFileSync(noteOf(folder), 'utf8'), clock);
}

/** What does not add up in the usage of a folder's backend, which has ended. */
export async function usageDifferences(folder: string): Promise<readonly string[]> {
  if (!onPostgres) return verifySqliteUsage(join(folder, 'usage.sqlite')).differences;
  const usage = await openUsage(folder, testClock());
  try {
    return (await usage.verify()).differences;
  } finally {
    await usage.close();
  }
}

/** Opens what a test's backend has, beside it or after it; in another process, too. */
export async function openControlPlane(folder: string): Promise<ControlDb> {
  if (!onPostgres) return openControlDb(join(folder, 'control.sqlite'), MIGRATIONS);
  return openPostgresControlDb(readFileSync(noteOf(folder), 'utf8'), MIGRATIONS);
}

/** A second backend's folder that begins as this one is now. */
export async function copyFolder(from: string, to: string): Promise<void> {
  cpSync(from, to, { recursive: true });
  if (!onPostgres) return;
  const url = readFileSync(noteOf(from), 'utf8');
  // Nobody may have it open while it is copied; who has it connects again.
  await endConnections(url);
  writeFileSync(noteOf(to), (await createDatabase({ copyOf: url })).url);
}

export type StoredRow = Record<string, string | number | null>;

/** All rows of all tables, those of a table in the order in which they were made. */
export async function storedRows(db: ControlDb): Promise<Record<string, StoredRow[]>> {
  const { rows: tables } = await (onPostgres
    ? sql<{ name: string }>`SELECT table_name AS name FROM information_schema.tables
        WHERE table_schema = current_schema() ORDER BY table_name`
    : sql<{
        name: string;
      }>`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  ).execute(db.kysely);
  const all: Record<string, StoredRow[]> = {};
  for (const { name } of tables) {
    // The first column is an id in most, and ids rise.
    const order = onPostgres ? sql`1` : sql`rowid`;
    const { rows } = await sql<StoredRow>`SELECT * FROM ${sql.table(name)} ORDER BY ${order}`.execute(db.kysely);
    all[name] = rows;
  }
  return all;
}

/** Whether a text stands anywhere in what the backend of a folder has stored: not only in rows that are still there. */
export async function standsInStore(folder: string, text: string): Promise<boolean> {
  if (!onPostgres) {
    const files = ['control.sqlite', 'control.sqlite-wal'].map((file) => join(folder, file));
    return files.some((file) => readFileSync(file).includes(text));
  }
  const db = await openControlPlane(folder);
  try {
    return JSON.stringify(await storedRows(db)).includes(text);
  } finally {
    await db.close();
  }
}

let made: Promise<string> | undefined;

/** One for each process: it is migrated once, and copied for each backend. */
function template(): Promise<string> {
  made ??= (async () => {
    const { url } = await createDatabase();
    await (await openPostgresControlDb(url, MIGRATIONS)).close();
    await (await openPostgresUsageStore(url, testClock())).close();
    return url;
  })();
  return made;
}
