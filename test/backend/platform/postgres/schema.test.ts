import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlDb, openControlDb } from '../../../../backend/platform/db/control-db.ts';
import { openPostgresControlDb } from '../../../../backend/platform/db/postgres-control-db.ts';
import { MIGRATIONS } from '../../../support/database-template.ts';
import { createDatabase, hasPostgres } from '../../../support/postgres-cluster.ts';

/** What a schema holds of each kind, a line each, in an order of its own. */
type Schema = Record<'columns' | 'keys' | 'indexes' | 'references', string[]>;

async function lines(db: ControlDb, query: RawBuilder<unknown>): Promise<string[]> {
  const { rows } = await query.execute(db.kysely);
  return rows.map((row) => Object.values(row as object).join(' | ')).sort();
}

async function ofSqlite(db: ControlDb): Promise<Schema> {
  const tables = sql`(SELECT name AS t FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%')`;
  const keyOf = sql`(SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(t) WHERE pk > 0 ORDER BY pk))`;
  const indexed = sql`(SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))`;
  const columns = sql`SELECT t, name, CASE type WHEN 'INTEGER' THEN 'bigint' ELSE lower(type) END AS is_of,
      CASE WHEN "notnull" = 1 OR pk > 0 THEN 'required' ELSE 'optional' END AS has, dflt_value
    FROM ${tables} JOIN pragma_table_info(t)`;
  const indexes = sql`SELECT t, CASE origin WHEN 'c' THEN i.name ELSE 'constraint' END AS name,
      CASE "unique" WHEN 1 THEN 'unique' ELSE 'plain' END AS is_a, ${indexed} AS columns,
      CASE partial WHEN 1 THEN 'partial' ELSE 'all' END AS for_rows
    FROM ${tables} JOIN pragma_index_list(t) AS i WHERE origin <> 'pk'`;
  const references = sql`SELECT t, "from", "table", "to" FROM ${tables} JOIN pragma_foreign_key_list(t)`;
  return {
    columns: await lines(db, columns),
    keys: await lines(db, sql`SELECT t, ${keyOf} AS columns FROM ${tables}`),
    indexes: await lines(db, indexes),
    references: await lines(db, references),
  };
}

async function ofPostgres(db: ControlDb): Promise<Schema> {
  const schema = sql`current_schema()::regnamespace`;
  const names = (table: string, numbers: string) => sql`(SELECT string_agg(attname, ',' ORDER BY place)
    FROM unnest(${sql.raw(numbers)}) WITH ORDINALITY AS n (number, place)
    JOIN pg_attribute ON attrelid = ${sql.raw(table)} AND attnum = number)`;
  const columns = sql`SELECT table_name, column_name, data_type,
      CASE is_nullable WHEN 'NO' THEN 'required' ELSE 'optional' END AS has,
      regexp_replace(column_default, '::[a-z]+$', '') AS otherwise
    FROM information_schema.columns WHERE table_schema = current_schema()`;
  const keys = sql`SELECT conrelid::regclass AS t, ${names('conrelid', 'conkey')} AS columns
    FROM pg_constraint WHERE contype = 'p' AND connamespace = ${schema}`;
  const indexes = sql`SELECT indrelid::regclass AS t,
      CASE WHEN conname IS NULL THEN relname ELSE 'constraint' END AS name,
      CASE WHEN indisunique THEN 'unique' ELSE 'plain' END AS is_a, ${names('indrelid', 'indkey::int2[]')} AS columns,
      CASE WHEN indpred IS NULL THEN 'all' ELSE 'partial' END AS for_rows
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'u'
    WHERE relnamespace = ${schema} AND NOT indisprimary`;
  const references = sql`SELECT conrelid::regclass AS t, ${names('conrelid', 'conkey')} AS own,
      confrelid::regclass AS other, ${names('confrelid', 'confkey')} AS theirs
    FROM pg_constraint WHERE contype = 'f' AND connamespace = ${schema}`;
  return {
    columns: await lines(db, columns),
    keys: await lines(db, keys),
    indexes: await lines(db, indexes),
    references: await lines(db, references),
  };
}

describe.runIf(hasPostgres)('one folder of migrations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'schema-'));
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let sqlite: ControlDb;
  let postgres: ControlDb;
  beforeAll(async () => {
    database = await createDatabase();
    sqlite = openControlDb(join(folder, 'control.sqlite'), MIGRATIONS);
    postgres = await openPostgresControlDb(database.url, MIGRATIONS);
  });
  afterAll(async () => {
    await sqlite.close();
    await postgres.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  test('makes the same tables, keys, indexes and references on both engines', async () => {
    const expected = await ofSqlite(sqlite);
    expect(expected.columns.length).toBeGreaterThan(200);
    expect(await ofPostgres(postgres)).toEqual(expected);
  });

  test.for(['tax_codes', 'organization_default_tax_codes', 'apps', 'billing_profiles', 'data_folder', 'charges'])(
    'puts the same rows into %s',
    async (table) => {
      const read = async (db: ControlDb) =>
        JSON.stringify((await sql`SELECT * FROM ${sql.table(table)} ORDER BY 1`.execute(db.kysely)).rows);
      // Two moments in one form.
      const timeless = (text: string) => text.replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"then"');
      const expected = timeless(await read(sqlite));
      expect(timeless(await read(postgres))).toBe(expected);
    },
  );
});
