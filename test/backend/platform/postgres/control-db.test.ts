import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { customerScope } from '../../../../backend/customers/test-clocks/index.ts';
import type { ControlDb } from '../../../../backend/platform/db/control-db.ts';
import type { DbHandle } from '../../../../backend/platform/db/handle.ts';
import { customerLock, type Locks, READING } from '../../../../backend/platform/db/locks.ts';
import { openPostgresControlDb } from '../../../../backend/platform/db/postgres-control-db.ts';
import { sideBySide } from '../../../../backend/platform/db/side-by-side.ts';
import type { Scope } from '../../../../backend/platform/scope.ts';
import { MIGRATIONS } from '../../../support/database-template.ts';
import { createDatabase, endConnections, hasPostgres } from '../../../support/postgres-cluster.ts';
import { fc } from '../../../support/property.ts';
import { testScope } from '../../../support/scope.ts';
import { testClock } from '../../../support/test-clock.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
/** Two backends on one database. */
let one: ControlDb;
let other: ControlDb;

const write = (db: DbHandle, text: string) => sql`INSERT INTO notes (text) VALUES (${text})`.execute(db.kysely);
const notes = async (db: DbHandle = one) =>
  (await sql<{ text: string }>`SELECT text FROM notes ORDER BY text`.execute(db.kysely)).rows.map(({ text }) => text);
/** Resolves when as many transactions wait for a lock. */
const untilWaiting = (count: number) =>
  expect
    .poll(async () => {
      const waiting = sql<{ count: number }>`SELECT count(*) AS count FROM pg_locks JOIN pg_database ON oid = database
        WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`;
      return (await waiting.execute(one.kysely)).rows[0]?.count;
    })
    .toBe(count);

/** A transaction that writes a note when it begins and ends when it is told to. */
async function hold(locks?: Locks) {
  const { promise: told, resolve: release } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const over = one.transaction(async (own) => {
    if (locks !== READING) await write(own, 'held');
    begin();
    await told;
  }, locks);
  await Promise.race([begun, over]);
  return {
    release: () => {
      release();
      return over;
    },
  };
}

describe.runIf(hasPostgres)('the control plane on PostgreSQL', () => {
  beforeEach(async () => {
    database = await createDatabase();
    one = await openPostgresControlDb(database.url, MIGRATIONS);
    other = await openPostgresControlDb(database.url, MIGRATIONS);
    await sql`CREATE TABLE notes (text TEXT PRIMARY KEY)`.execute(one.kysely);
  });
  afterEach(async () => {
    await one.close();
    await other.close();
    await database.drop();
  });

  const [a, b] = [[customerLock('a')], [customerLock('b')]];

  test.for<[string, Locks | undefined, Locks | undefined]>([
    ['a customer waits for the same one', a, a],
    ['everything waits for a customer', a, undefined],
    ['a customer waits for everything', undefined, a],
    ['everything waits for everything', undefined, undefined],
    ['several wait for one of them', b, [...a, ...b]],
  ])('%s, and then sees what was done', async ([, first, second]) => {
    const held = await hold(first);
    const seen = other.transaction((own) => notes(own), second);
    await untilWaiting(1);
    await held.release();
    expect(await seen).toEqual(['held']);
  });

  test.for<[string, Locks | undefined, Locks | undefined]>([
    ['one customer for another', a, b],
    ['a reader for everything', undefined, READING],
    ['everything for a reader', READING, undefined],
    ['nothing named for a customer', a, []],
  ])('nobody waits: %s', async ([, first, second]) => {
    const held = await hold(first);
    expect(await other.transaction((own) => notes(own), second)).toEqual([]);
    await held.release();
  });

  test('a reader sees one moment, and cannot write', async () => {
    await one.transaction(async (own) => {
      expect(await notes(own)).toEqual([]);
      await write(other, 'later');
      expect(await notes(own)).toEqual([]);
    }, READING);
    await expect(one.transaction((own) => write(own, 'no'), READING)).rejects.toThrow('read-only');
    expect(await notes()).toEqual(['later']);
  });

  test('whatever is locked in whatever order, nobody waits in a circle', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map(customerLock);
    const some = fc.shuffledSubarray(names, { minLength: 2 });
    let count = 0;
    const property = fc.asyncProperty(fc.array(some, { minLength: 10, maxLength: 30 }), async (works) => {
      const done = works.map((locks, index) =>
        (index % 2 === 0 ? one : other).transaction((own) => write(own, `${++count}`), locks),
      );
      expect((await Promise.all(done)).length).toBe(works.length);
    });
    await fc.assert(property, { numRuns: 10 });
    expect(await notes()).toHaveLength(count);
  });

  test('work that names nothing has everything for itself, also inside a transaction that has named something', async () => {
    const held = await hold(b);
    const joined = other.transaction(async (own) => {
      expect(await notes(own)).toEqual([]);
      return own.transaction((inner) => notes(inner));
    }, a);
    await untilWaiting(1);
    await held.release();
    expect(await joined).toEqual(['held']);
  });

  test('reading goes on while more transactions wait than there are connections', async () => {
    const held = await hold();
    const waiting = Array.from({ length: 50 }, (_, index) => one.transaction((own) => write(own, `${index}`)));
    for (let round = 0; round < 30; round++) expect(await notes()).toEqual([]);
    await held.release();
    await Promise.all(waiting);
    expect(await notes()).toHaveLength(51);
  });

  test('the scope of a customer keeps the customer by itself, also side by side', async () => {
    const scopeOf = (db: ControlDb) => testScope(db, testClock());
    const held = await hold(a);
    const writeFor = (scope: Scope, id: string) =>
      customerScope(scope, id).then((own) => own.transaction((trx) => write(trx, id)));
    const ofA = writeFor(scopeOf(other), 'a');
    await untilWaiting(1);
    await sideBySide(
      scopeOf(other),
      ['b', 'c'].map((id) => (scope) => writeFor(scope, id)),
    );
    expect(await notes()).toEqual(['b', 'c']);
    await held.release();
    await ofA;
    expect(await notes()).toEqual(['a', 'b', 'c', 'held']);
  });

  test('side by side: one that fails takes back its own, and all together keep what each is about', async () => {
    const works = ['first', 'first', 'last'].map((text, index) => (db: ControlDb) => {
      const lock = [customerLock(String(index))];
      return db.transaction((own) => write(own, text), lock);
    });
    const held = await hold([customerLock('2')]);
    const outcomes = sideBySide(other, works);
    await untilWaiting(1);
    expect(await one.transaction((own) => notes(own), [customerLock('3')])).toEqual([]);
    await held.release();
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await notes()).toEqual(['first', 'held', 'last']);
  });

  test('who asks the outer handle inside a transaction is told at once', async () => {
    await one.transaction(async (own) => {
      await expect(notes(one)).rejects.toThrow('through its own handle');
      await expect(one.transaction(async () => 1)).rejects.toThrow('through its own handle');
      await own.transaction((inner) => write(inner, 'joined'), a);
    });
    expect(await notes()).toEqual(['joined']);
  });

  test('only writes without sync do not wait for the disk', async () => {
    const setting = async (db: DbHandle) =>
      (await sql<{ synchronous_commit: string }>`SHOW synchronous_commit`.execute(db.kysely)).rows[0]
        ?.synchronous_commit;
    expect([await one.withoutSync(setting), await one.transaction(setting)]).toEqual(['off', 'on']);
  });

  test('whole numbers are numbers as long as they are exact', async () => {
    const read = async (value: string) =>
      (await sql<{ n: unknown }>`SELECT ${value}::bigint AS n`.execute(one.kysely)).rows[0]?.n;
    expect(await read('9007199254740991')).toBe(9_007_199_254_740_991);
    await expect(read('9007199254740992')).rejects.toThrow('too large');
  });

  test('the one character that text cannot have is refused as a wrong request', async () => {
    await expect(write(one, 'a\0b')).rejects.toMatchObject({ kind: 'bad-request' });
  });

  test('a lost connection is told as such, nothing of it stays, and the next one is another', async () => {
    const lost = one.transaction(async (own) => {
      await write(own, 'lost');
      await endConnections(database.url);
      await write(own, 'more');
    });
    await expect(lost).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: expect.any(Number) });
    // Connections that lay idle are gone too, and found to be when the server's word of it has come.
    await expect.poll(() => notes(other)).toEqual([]);
    await expect.poll(() => one.transaction((own) => notes(own))).toEqual([]);
  });

  test('a connection that was lost before fails neither a reader nor a transaction that begins', async () => {
    const afterLoss = (work: (own: DbHandle) => Promise<unknown>) =>
      one.kysely.connection().execute(async (kysely) => {
        await endConnections(database.url);
        return work({ kysely });
      });
    await afterLoss((own) => notes(own));
    await afterLoss((own) => own.kysely.transaction().execute((kysely) => write({ kysely }, 'begun')));
    // A single write may have been done: who asked has to know.
    await expect(afterLoss((own) => write(own, 'alone'))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await notes()).toEqual(['begun']);
  });

  test('two that begin at once migrate once; what a newer program has done is told, and refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
    const fresh = await createDatabase();
    onTestFinished(async () => {
      await fresh.drop();
      rmSync(folder, { recursive: true });
    });
    cpSync(MIGRATIONS, folder, { recursive: true });
    const both = await Promise.all([1, 2].map(() => openPostgresControlDb(fresh.url, MIGRATIONS)));
    writeFileSync(join(folder, '9999-newer.sql'), 'CREATE TABLE newer (id INTEGER PRIMARY KEY);');
    await (await openPostgresControlDb(fresh.url, folder)).close();
    expect(await both[0]?.unknownMigrations()).toEqual(['9999-newer.sql']);
    await expect(openPostgresControlDb(fresh.url, MIGRATIONS)).rejects.toThrow('9999-newer.sql');
    writeFileSync(join(folder, '9999-newer.sql'), 'CREATE TABLE changed (id INTEGER PRIMARY KEY);');
    await expect(openPostgresControlDb(fresh.url, folder)).rejects.toThrow('was changed after it had been applied');
    for (const db of both) await db.close();
  });

  test('a migration that fails leaves nothing behind, and those before it stay', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
    const fresh = await createDatabase();
    onTestFinished(async () => {
      await fresh.drop();
      rmSync(folder, { recursive: true });
    });
    writeFileSync(join(folder, '0001-good.sql'), 'CREATE TABLE good (id INTEGER PRIMARY KEY);');
    writeFileSync(join(folder, '0002-bad.sql'), 'CREATE TABLE bad (id INTEGER); INSERT INTO missing VALUES (1);');
    await expect(openPostgresControlDb(fresh.url, folder)).rejects.toThrow('missing');
    writeFileSync(join(folder, '0002-bad.sql'), 'CREATE TABLE bad (id INTEGER);');
    const db = await openPostgresControlDb(fresh.url, folder);
    await sql`SELECT * FROM good, bad`.execute(db.kysely);
    await db.close();
  });

  test('a database that sorts by a language is refused', async () => {
    const german = await createDatabase({ locale: "LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'" });
    onTestFinished(german.drop);
    await expect(openPostgresControlDb(german.url, MIGRATIONS)).rejects.toThrow("LOCALE 'C.UTF-8'");
  });
});
