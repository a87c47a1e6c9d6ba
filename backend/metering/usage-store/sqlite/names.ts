import { createByteCache } from '../../../platform/byte-cache.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';

/** Numbers for texts that repeat, made on first use. Belongs to the writer: readers look names up in SQL. */
export interface Names {
  /** To be called inside the transaction that uses the number. */
  idOf(text: string): number;
  /** Forgets what was made since the last commit: after a rollback those numbers do not exist. */
  rolledBack(): void;
}

/** Some 100,000 short texts. More subjects than this in turn cost one look into the database each. */
const MAX_REMEMBERED_BYTES = 16_777_216;

export function openNames(db: Sqlite): Names {
  const find = db.prepare('SELECT name_id FROM names WHERE text = ?').pluck();
  const insert = db.prepare('INSERT INTO names (text) VALUES (?)');
  const remembered = createByteCache<number>(MAX_REMEMBERED_BYTES);
  return {
    idOf(text) {
      const known = remembered.get(text);
      if (known !== undefined) return known;
      const id = (find.get(text) as number | undefined) ?? Number(insert.run(text).lastInsertRowid);
      remembered.set(text, id);
      return id;
    },
    rolledBack: () => remembered.clear(),
  };
}
