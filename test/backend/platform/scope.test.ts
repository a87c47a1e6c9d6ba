import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ControlDb, openControlDb } from '../../../backend/platform/db/control-db.ts';
import { sideBySide } from '../../../backend/platform/db/side-by-side.ts';
import { atTime, type Scope } from '../../../backend/platform/scope.ts';
import { testScope } from '../../support/scope.ts';
import { testClock } from '../../support/test-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'scope-'));
const clock = testClock('2026-03-01T00:00:00Z');
let db: ControlDb;
let scope: Scope;
beforeAll(async () => {
  db = openControlDb(join(folder, 'control.sqlite'), 'backend/migrations');
  scope = testScope(db, clock);
  await sql`CREATE TABLE notes (text TEXT)`.execute(db.kysely);
});
beforeEach(() => sql`DELETE FROM notes`.execute(db.kysely));
afterAll(async () => {
  await db.close();
  rmSync(folder, { recursive: true });
});

const write = (own: { kysely: Kysely<unknown> }, text: string) =>
  sql`INSERT INTO notes (text) VALUES (${text})`.execute(own.kysely);
const notes = async () =>
  (await sql<{ text: string }>`SELECT text FROM notes ORDER BY text`.execute(db.kysely)).rows.map(({ text }) => text);

test('a transaction that throws takes all back, also what joined it', async () => {
  const failed = scope.transaction(async (outer) => {
    await write(outer, 'outer');
    await outer.transaction((inner) => write(inner, 'inner'));
    throw new Error('no');
  });
  await expect(failed).rejects.toThrow('no');
  expect(await notes()).toEqual([]);
  await scope.transaction(async (outer) => {
    await write(outer, 'outer');
    await outer.transaction((inner) => write(inner, 'inner'));
  });
  expect(await notes()).toEqual(['inner', 'outer']);
});

test('who asks the outer handle inside a transaction is told at once, and the transaction can go on', async () => {
  await scope.transaction(async (own) => {
    await expect(write(scope, 'read')).rejects.toThrow('through its own handle');
    await expect(scope.transaction(async () => 1)).rejects.toThrow('through its own handle');
    await expect(scope.withoutSync(async () => 1)).rejects.toThrow('through its own handle');
    await expect(own.transaction(() => write(scope, 'nested'))).rejects.toThrow('through its own handle');
    await write(own, 'own');
  });
  await scope.withoutSync(async (own) => {
    await expect(write(scope, 'read')).rejects.toThrow('through its own handle');
    await write(own, 'unsynced');
  });
  expect(await notes()).toEqual(['own', 'unsynced']);
});

test('others wait for the transaction and go on, and what it has left behind may ask when it is over', async () => {
  let later: Promise<unknown> | undefined;
  let over = () => {};
  const isOver = new Promise<void>((resolve) => (over = resolve));
  const [, other] = await Promise.all([
    scope.transaction(async (own) => {
      later = isOver.then(() => write(scope, 'later'));
      await write(own, 'first');
    }),
    write(scope, 'other'),
  ]);
  expect(other.numAffectedRows).toBe(1n);
  over();
  await later;
  expect(await notes()).toEqual(['first', 'later', 'other']);
});

test('goes by its time in transactions too, alone and side by side', async () => {
  const earlier = atTime(scope, { nowMs: () => 5 });
  const times = (own: Scope) => own.transaction(async (trx) => [trx.clock.nowMs(), (await nested(trx)).clock.nowMs()]);
  const nested = (own: Scope) => own.transaction(async (trx) => trx);
  expect(await times(earlier)).toEqual([5, 5]);
  expect(await times(scope)).toEqual([clock.nowMs(), clock.nowMs()]);
  const outcomes = await sideBySide(earlier, [times, times]);
  expect(outcomes.map((one) => one.status === 'fulfilled' && one.value)).toEqual([
    [5, 5],
    [5, 5],
  ]);
});
