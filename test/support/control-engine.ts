import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlDb, openControlDb } from '../../backend/platform/db/control-db.ts';
import { openPostgresControlDb } from '../../backend/platform/db/postgres-control-db.ts';
import { MIGRATIONS } from './database-template.ts';
import { createDatabase } from './postgres-cluster.ts';

/** With TEST_ENGINE=postgresql the backends of tests have their control plane there (see postgres-cluster.ts for where). */
const onPostgres = process.env['TEST_ENGINE'] === 'postgresql';

export interface TestControlDb {
  db: ControlDb;
  /** To be called when it is closed, and nobody opens it again. */
  remove(): Promise<void>;
}

/** The control plane of a folder: that which is there, or a new one. */
export async function openTestControlDb(folder: string): Promise<TestControlDb> {
  if (!onPostgres) return { db: openControlDb(join(folder, 'control.sqlite'), MIGRATIONS), remove: async () => {} };
  const note = join(folder, 'control-url');
  if (existsSync(note)) return { db: await openPostgresControlDb(readFileSync(note, 'utf8'), MIGRATIONS), remove };
  const { url, drop } = await createDatabase(await template());
  writeFileSync(note, url);
  return { db: await openPostgresControlDb(url, MIGRATIONS), remove: drop };
}

const remove = async () => {};

let made: Promise<{ url: string }> | undefined;

/** One for each process: it is migrated once, and copied for each backend. */
function template(): Promise<{ url: string }> {
  made ??= (async () => {
    const database = await createDatabase();
    const db = await openPostgresControlDb(database.url, MIGRATIONS);
    await db.close();
    return database;
  })();
  return made;
}
