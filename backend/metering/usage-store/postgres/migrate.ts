import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Database, LOCKS, underLock } from './database.ts';

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));

/** Brings the schema to what this program needs. Several that start at once wait for one another. */
export async function migratePostgres(db: Database, schema: string): Promise<void> {
  await underLock(db, LOCKS.migrations, 'READ COMMITTED', async (client) => {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query('CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)');
    const done = new Set(await migrationsDone(client));
    for (const name of migrationNames()) {
      if (done.has(name)) continue;
      await client.query(readFileSync(`${FOLDER}/${name}`, 'utf8'));
      await client.query('INSERT INTO migrations VALUES ($1)', [name]);
    }
  });
}

/** What a newer program has done to the schema: this one must not go on with it. */
export async function unknownMigrations(db: Database): Promise<string[]> {
  const known = new Set(migrationNames());
  return (await db.withClient(migrationsDone)).filter((name) => !known.has(name));
}

async function migrationsDone(client: Parameters<Parameters<Database['withClient']>[0]>[0]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY name');
  return rows.map(({ name }) => name);
}

function migrationNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort();
}
