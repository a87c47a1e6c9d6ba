import { bucketOf, bucketStartMs } from '../series/levels.ts';
import type { Expiry } from '../types.ts';
import { type Database, LOCKS, numberArray, underLock } from './database.ts';

/** Of one transaction. */
const ROWS_PER_STEP = 2000;

/** Removes some of the events that happened and were stored before an instant. */
export async function expireStep(db: Database, beforeMs: number): Promise<Expiry> {
  const quarter = bucketOf('quarter', beforeMs);
  const timeBeforeMs = bucketStartMs('quarter', quarter);
  return underLock(db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
    // These still need the events.
    const { rows } = await client.query<{ waits: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM rollup_series WHERE NOT dropped AND back_filled_row < last_row)
         OR EXISTS (SELECT 1 FROM rollup_dirty JOIN rollup_series USING (series) WHERE NOT dropped AND quarter < $1)
         OR EXISTS (SELECT 1 FROM corrections WHERE finished_at_ms IS NULL) AS waits`,
      [quarter],
    );
    if (rows[0]?.waits === true) return { removed: 0, state: 'waiting' };
    const due = await client.query<{ row_id: number; time_ms: number }>(
      `SELECT row_id, time_ms FROM events WHERE time_ms < $1 AND stored_at_ms < $2
       ORDER BY time_ms, row_id LIMIT ${ROWS_PER_STEP}`,
      [timeBeforeMs, beforeMs],
    );
    const removed = due.rows.length;
    if (removed === 0) return { removed, state: 'done' };
    await client.query('UPDATE store SET complete_from_ms = greatest(complete_from_ms, $1)', [timeBeforeMs]);
    const rowIds = numberArray(due.rows.map(({ row_id }) => row_id));
    await client.query(
      `DELETE FROM events AS e USING unnest($1::bigint[], $2::bigint[]) AS u (row_id, time_ms)
       WHERE e.row_id = u.row_id AND e.time_ms = u.time_ms`,
      [rowIds, numberArray(due.rows.map(({ time_ms }) => time_ms))],
    );
    await client.query('DELETE FROM duplicates WHERE row_id = ANY($1::bigint[])', [rowIds]);
    return { removed, state: removed === ROWS_PER_STEP ? 'more' : 'done' };
  });
}
