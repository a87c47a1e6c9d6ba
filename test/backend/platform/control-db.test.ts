import { AsyncResource } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type ControlDb, openControlDb } from '../../../backend/platform/db/control-db.ts';
import { expectShortTurns, measureTurns } from '../../support/turn-meter.ts';

/** As SQLite counts: 1 is NORMAL, 2 is FULL. */
const synchronous = async (db: ControlDb) =>
  (await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db.kysely)).rows[0]?.synchronous;

test('only writes without sync do not wait for the disk: what follows them does, each time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const db = openControlDb(join(folder, 'control.sqlite'), 'backend/migrations');
  for (let round = 0; round < 3; round++) {
    expect(await synchronous(db)).toBe(2);
    const [inside, next] = await Promise.all([db.withoutSync(synchronous), db.transaction(synchronous)]);
    expect({ inside, next }).toEqual({ inside: 1, next: 2 });
    const failed = db.withoutSync(() => Promise.reject(new Error('disk full')));
    await expect(failed).rejects.toThrow('disk full');
    expect(await synchronous(db)).toBe(2);
    // In a transaction there is one sync, at its end, for all of it.
    expect(await db.transaction((trx) => trx.withoutSync(synchronous))).toBe(2);
  }
  await db.close();
  rmSync(folder, { recursive: true });
});

test('work of many statements gives way between them, and nobody gets into its transaction', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const db = openControlDb(join(folder, 'control.sqlite'), 'backend/migrations');
  const count = async (own: ControlDb) =>
    (await sql<{ count: number }>`SELECT count(*) AS count FROM turns`.execute(own.kysely)).rows[0]?.count;
  await sql`CREATE TABLE turns (id INTEGER PRIMARY KEY, text TEXT)`.execute(db.kysely);
  const STATEMENTS = 20_000;
  const text = 'x'.repeat(500);
  let between: Promise<number | undefined> | undefined;
  const somebodyElse = AsyncResource.bind(() => (between = count(db)));
  const writing = await measureTurns(() =>
    db.transaction(async (trx) => {
      for (let id = 0; id < STATEMENTS; id++) {
        await sql`INSERT INTO turns (id, text) VALUES (${id}, ${text})`.execute(trx.kysely);
        if (id === 1000) setImmediate(somebodyElse);
      }
      expect(await count(trx)).toBe(STATEMENTS);
    }),
  );
  expectShortTurns(writing.turns);
  // It came in the middle, and was answered when the transaction was over.
  expect(await between).toBe(STATEMENTS);
  const reading = await measureTurns(async () => {
    const all = async () => (await sql<{ id: number }>`SELECT * FROM turns`.execute(db.kysely)).rows;
    return Promise.all(Array.from({ length: 10 }, all));
  });
  expectShortTurns(reading.turns);
  for (const rows of reading.result) expect([rows.length, rows.at(-1)?.id]).toEqual([STATEMENTS, STATEMENTS - 1]);
  // What is under way ends before the database is closed.
  const last = sql`SELECT * FROM turns`.execute(db.kysely);
  await new Promise(setImmediate);
  await db.close();
  expect((await last).rows).toHaveLength(STATEMENTS);
  rmSync(folder, { recursive: true });
});
