import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteUsageStore } from '../../backend/metering/usage-store/index.ts';
import { openControlDb } from '../../backend/platform/db/control-db.ts';
import { testClock } from './test-clock.ts';

/** Names the folder of the empty databases to the processes that run the tests. */
export const TEMPLATE_VARIABLE = 'TEST_DATABASE_TEMPLATE';

export const MIGRATIONS = fileURLToPath(new URL('../../backend/migrations', import.meta.url));

/** Applies all migrations to new files of the folder: doing so for each of hundreds of backends takes a minute. */
export async function makeDatabaseTemplate(folder: string): Promise<void> {
  const usage = await openSqliteUsageStore(join(folder, 'usage.sqlite'), testClock());
  await usage.close();
  await openControlDb(join(folder, 'control.sqlite'), MIGRATIONS).close();
}

/** Has a backend's folder begin with the empty databases; without a template it makes them itself. */
export function copyDatabaseTemplate(folder: string): void {
  const template = process.env[TEMPLATE_VARIABLE];
  if (template === undefined) return;
  for (const file of readdirSync(template)) {
    // Beside them stands what the suite notes of PostgreSQL.
    if (!file.startsWith('postgres-')) copyFileSync(join(template, file), join(folder, file));
  }
}
