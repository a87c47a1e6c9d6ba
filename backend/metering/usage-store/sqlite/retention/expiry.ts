import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { bucketOf, bucketStartMs } from '../../series/levels.ts';
import type { Expiry } from '../../types.ts';
import { firstRowAt } from '../event-conditions.ts';
import { CHUNK_ROWS } from '../seen/chunks.ts';

/** Some 20 ms: requests wait as long. */
const ROWS_PER_STEP = 2000;

/** Removes old events. Belongs to the writer; to be called in a transaction. */
export interface Retention {
  /**
   * Removes some of the events that happened and were stored before an instant.
   * @param lastRow the youngest event: it stays, as the numbering goes on from it
   */
  step(beforeMs: number, lastRow: number): Expiry;
}

/** @param onRemoved told the first row that is left */
export function openRetention(db: Sqlite, onRemoved: (firstRow: number) => void): Retention {
  const waits = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM rollup_series WHERE dropped = 0 AND back_filled_row < last_row)
         OR EXISTS (SELECT 1 FROM rollup_dirty_subjects JOIN rollup_series USING (series) WHERE dropped = 0 AND quarter < ?)
         OR EXISTS (SELECT 1 FROM corrections WHERE finished_at_ms IS NULL)`,
    )
    .pluck();
  const setComplete = db.prepare('UPDATE store SET complete_from_ms = max(coalesce(complete_from_ms, 0), ?)');
  const due = db
    .prepare(
      `SELECT row_id FROM events WHERE row_id > ? AND row_id <= ? AND time_ms < ? ORDER BY row_id LIMIT ${ROWS_PER_STEP}`,
    )
    .pluck();
  const remove = db.prepare('DELETE FROM events WHERE row_id = ?');
  const removeDuplicates = db.prepare('DELETE FROM duplicates WHERE row_id = ?');
  const firstRow = db.prepare('SELECT min(row_id) FROM events').pluck();
  // The last chunk says how far all rows are written down.
  const removeChunks = db.prepare(
    'DELETE FROM row_chunks WHERE chunk < ? AND chunk < (SELECT max(chunk) FROM row_chunks)',
  );
  const removeRows = db.prepare(
    'DELETE FROM chunk_subjects WHERE chunk < ? AND chunk < (SELECT max(chunk) FROM row_chunks)',
  );
  /** Where the last step ended: what it left (events of the future) is not looked at again until the next round. */
  let after = 0;

  return {
    step(beforeMs, lastRow) {
      const quarter = bucketOf('quarter', beforeMs);
      // These still need the events.
      if (waits.get(quarter) === 1) return { removed: 0, state: 'waiting' };
      const timeBeforeMs = bucketStartMs('quarter', quarter);
      const upTo = Math.min(firstRowAt(db, 'stored_at_ms', beforeMs) - 1, lastRow - 1);
      const rows = due.all(after, upTo, timeBeforeMs) as number[];
      if (rows.length > 0) setComplete.run(timeBeforeMs);
      for (const row of rows) {
        remove.run(row);
        removeDuplicates.run(row);
      }
      if (rows.length === ROWS_PER_STEP) {
        after = rows.at(-1) ?? 0;
        return { removed: rows.length, state: 'more' };
      }
      after = 0;
      const first = (firstRow.get() as number | null) ?? lastRow;
      const chunk = Math.floor(first / CHUNK_ROWS);
      removeChunks.run(chunk);
      removeRows.run(chunk);
      onRemoved(first);
      return { removed: rows.length, state: 'done' };
    },
  };
}
