import type pg from 'pg';
import { type Migration, readMigrations, refuseChanged, refuseNewer, unknownAmong } from './migrate.ts';

const NOW = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Who migrates waits for whoever does. */
const MIGRATION_LOCK = 'control migrations';

/**
 * The files are SQLite's, and neutral but for this: its integers have 64 bits, and it tells the time in a way of its own.
 * What a file must not have besides is held by a test of the two schemas.
 */
function toPostgres(sql: string): string {
  return sql.replace(/\bINTEGER\b/g, 'BIGINT').replace(/strftime\('%Y-%m-%dT%H:%M:%fZ'(, *'now')?\)/g, NOW);
}

/**
 * Brings the schema to the newest state; see `migrateSqlite`, whose rules and files it has. Programs that start at once
 * wait for one another.
 */
export async function migratePostgres(pool: pg.Pool, schema: string, folder: string): Promise<void> {
  const migrations = readMigrations(folder);
  const client = await pool.connect();
  try {
    // As long as it takes, but for the locks of tables: whoever waits for one of those holds up all that come after.
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [MIGRATION_LOCK]);
    await client.query('RESET lock_timeout');
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)`);
    for (const migration of migrations) await apply(client, migration);
    refuseNewer(await applied(client), migrations);
  } finally {
    // Closed rather than given back: the lock goes with it, whatever has happened.
    client.release(true);
  }
}

async function apply(client: pg.PoolClient, { version, name, checksum, sql }: Migration): Promise<void> {
  const { rows } = await client.query('SELECT checksum FROM schema_migrations WHERE version = $1', [version]);
  if (rows[0] !== undefined) return refuseChanged({ name, checksum }, rows[0].checksum);
  await client.query('BEGIN');
  await client.query(toPostgres(sql));
  await client.query(`INSERT INTO schema_migrations VALUES ($1, $2, $3, ${NOW})`, [version, name, checksum]);
  await client.query('COMMIT');
}

async function applied(client: pg.Pool | pg.PoolClient): Promise<{ version: number; name: string }[]> {
  return (await client.query('SELECT version, name FROM schema_migrations ORDER BY version')).rows;
}

/** What a newer program has applied since. */
export async function unknownToPostgres(pool: pg.Pool, folder: string): Promise<string[]> {
  return unknownAmong(await applied(pool), readMigrations(folder));
}
