import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { DuplicatesOf, NewEvent } from '../types.ts';

/** Remembers that an event arrived again; to be called inside the transaction that leaves it out. */
export type NoteDuplicate = (rowId: number, event: NewEvent, nowMs: number) => void;

export function prepareNoteDuplicate(db: Sqlite): NoteDuplicate {
  const stored = db.prepare(
    `SELECT type_name.text AS type, subject_name.text AS subject, data FROM events
     JOIN names AS type_name ON type_name.name_id = type JOIN names AS subject_name ON subject_name.name_id = subject
     WHERE row_id = ?`,
  );
  const note = db.prepare(
    `INSERT INTO duplicates VALUES (?, 1, ?, ?) ON CONFLICT DO UPDATE SET
       times = times + 1, differing = differing + excluded.differing, last_ms = max(last_ms, excluded.last_ms)`,
  );
  return (rowId, event, nowMs) => {
    const first = stored.get(rowId) as { type: string; subject: string; data: string | null } | undefined;
    if (first === undefined) return;
    // Not the time: one that the sender did not give is that of each receipt.
    const isSame = first.type === event.type && first.subject === event.subject && first.data === (event.data ?? null);
    note.run(rowId, isSame ? 0 : 1, nowMs);
  };
}

/** The duplicates of stored events; events without any are absent. */
export function readDuplicates(db: Sqlite, rowIds: readonly number[]): DuplicatesOf[] {
  return db
    .prepare(
      `SELECT row_id AS rowId, times, differing, last_ms AS lastAtMs FROM duplicates
       WHERE row_id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(rowIds)) as DuplicatesOf[];
}
