import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ControlDb, openControlDb } from '../../../backend/platform/db/control-db.ts';
import { withTables } from '../../../backend/platform/db/handle.ts';
import { sideBySide } from '../../../backend/platform/db/side-by-side.ts';
import { openSqlite } from '../../../backend/platform/db/sqlite.ts';
import { withStatementCache } from '../../../backend/platform/db/statement-cache.ts';

let folder: string;
let db: ControlDb;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'side-by-side-'));
  writeFileSync(join(folder, '0001-notes.sql'), 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);');
  db = openControlDb(join(folder, 'control.sqlite'), folder);
});

afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const notes = (handle: ControlDb) => withTables<{ notes: { id?: number; text: string } }>(handle);
const write = (handle: ControlDb, text: string) =>
  handle.transaction(async (trx) => {
    await notes(trx).insertInto('notes').values({ text }).execute();
  });
const texts = async () =>
  (await notes(db).selectFrom('notes').select('text').orderBy('id').execute()).map((n) => n.text);
/** Resolves after as many turns of the event loop. */
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('transactions are in the order of the works, whichever was faster', async () => {
  const works = [5, 3, 1].map((slowness, index) => async (handle: ControlDb) => {
    for (const step of [1, 2]) {
      await turns(slowness);
      await write(handle, `${index}:${step}`);
    }
    return index;
  });
  const outcomes = await sideBySide(db, works);
  expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([0, 1, 2]);
  expect(await texts()).toEqual(['0:1', '1:1', '2:1', '0:2', '1:2', '2:2']);
});

test('one that fails takes back its own transaction and nothing else', async () => {
  const failing = async (handle: ControlDb) => {
    await write(handle, 'kept: was committed before');
    await handle.transaction(async (trx) => {
      await write(trx, 'taken back');
      throw new Error('no more');
    });
  };
  const outcomes = await sideBySide(db, [
    (handle) => write(handle, 'first'),
    failing,
    (handle) => write(handle, 'last'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await texts()).toEqual(['first', 'kept: was committed before', 'last']);
});

test('a transaction that failed can be caught, and the work goes on', async () => {
  const work = async (handle: ControlDb) => {
    await handle.transaction(() => Promise.reject(new Error('no'))).catch(() => {});
    await write(handle, 'after all');
  };
  expect(await sideBySide(db, [work, work])).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
  expect(await texts()).toEqual(['after all', 'after all']);
});

test('works of different length, without a transaction, and none at all', async () => {
  const long = async (handle: ControlDb) => {
    for (const text of ['a', 'b', 'c']) await write(handle, text);
  };
  await sideBySide(db, [long, () => turns(3), (handle) => write(handle, 'once')]);
  expect(await texts()).toEqual(['a', 'once', 'b', 'c']);
  expect(await sideBySide(db, [])).toEqual([]);
});

test('when the common transaction fails as a whole, each work is told', async () => {
  // Somebody else closes the transaction: the commit finds none.
  const breaking = (handle: ControlDb) =>
    handle.transaction(async (trx) => {
      await notes(trx).executeQuery(rollback(trx));
    });
  const outcomes = await sideBySide(db, [(handle) => write(handle, 'lost'), breaking]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await texts()).toEqual([]);
});

function rollback(handle: ControlDb) {
  return { ...notes(handle).selectFrom('notes').selectAll().compile(), sql: 'rollback', parameters: [] };
}

test('a statement is prepared once for its text, and again when many others came in between', () => {
  const sqlite = openSqlite(join(folder, 'statements.sqlite'));
  const cached = withStatementCache(sqlite);
  const first = cached.prepare('SELECT 0');
  expect(cached.prepare('SELECT 0')).toBe(first);
  for (let index = 1; index < 500; index += 1) cached.prepare(`SELECT ${index}`);
  expect(cached.prepare('SELECT 0')).toBe(first);
  for (let index = 500; index < 1000; index += 1) cached.prepare(`SELECT ${index}`);
  expect(cached.prepare('SELECT 0')).not.toBe(first);
  cached.close();
  expect(sqlite.open).toBe(false);
});
