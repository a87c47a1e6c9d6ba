import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrateSqlite } from '../../../backend/platform/db/migrate.ts';
import { openSqlite, type Sqlite } from '../../../backend/platform/db/sqlite.ts';

let folder: string;
let db: Sqlite;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  db = openSqlite(join(folder, 'test.sqlite'));
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string, sql: string) => writeFileSync(join(folder, name), sql);
const tables = () =>
  db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('a', 'b', 'c')`).pluck().all();

test('applies what is missing, in order, once', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  expect(migrateSqlite(db, folder)).toEqual(['0001-a.sql']);
  file('0002-b.sql', 'CREATE TABLE b (x); INSERT INTO b SELECT count(*) FROM a');
  expect(migrateSqlite(db, folder)).toEqual(['0002-b.sql']);
  expect(migrateSqlite(db, folder)).toEqual([]);
  expect(tables()).toEqual(['a', 'b']);
});

test('a migration that fails leaves nothing behind, and the ones before it stay', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  file('0002-b.sql', 'CREATE TABLE b (x); INSERT INTO missing VALUES (1)');
  expect(() => migrateSqlite(db, folder)).toThrow('no such table: missing');
  expect(tables()).toEqual(['a']);
});

test('refuses a file that was changed after it had been applied', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  migrateSqlite(db, folder);
  file('0001-a.sql', 'CREATE TABLE a (x, y)');
  expect(() => migrateSqlite(db, folder)).toThrow('was changed after it had been applied');
});

test('refuses a database with a migration that the program does not have', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  file('0002-b.sql', 'CREATE TABLE b (x)');
  migrateSqlite(db, folder);
  rmSync(join(folder, '0002-b.sql'));
  expect(() => migrateSqlite(db, folder)).toThrow('0002-b.sql, this program does not know it: use a newer program');
  file('0003-c.sql', 'CREATE TABLE c (x)');
  expect(() => migrateSqlite(db, folder)).toThrow('use a newer program');
});

test('a migration that came to the program later is applied, whatever its number', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  file('0003-c.sql', 'CREATE TABLE c (x)');
  expect(migrateSqlite(db, folder)).toEqual(['0001-a.sql', '0003-c.sql']);
  file('0002-b.sql', 'CREATE TABLE b (x)');
  expect(migrateSqlite(db, folder)).toEqual(['0002-b.sql']);
  expect(tables()).toEqual(['a', 'c', 'b']);
});

test('refuses two migrations of one number, and a name without one', () => {
  file('0001-a.sql', 'CREATE TABLE a (x)');
  file('0001-b.sql', 'CREATE TABLE b (x)');
  expect(() => migrateSqlite(db, folder)).toThrow('migrations 0001-a.sql and 0001-b.sql: the number is the same');
  expect(tables()).toEqual([]);
  rmSync(join(folder, '0001-b.sql'));
  file('b.sql', 'CREATE TABLE b (x)');
  expect(() => migrateSqlite(db, folder)).toThrow('the name must begin with 4 digits');
});

test('what is committed is synced: WAL with synchronous=FULL', () => {
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(db.pragma('synchronous', { simple: true })).toBe(2);
});
