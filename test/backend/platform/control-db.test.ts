import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type ControlDb, openControlDb } from '../../../backend/platform/db/control-db.ts';

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
