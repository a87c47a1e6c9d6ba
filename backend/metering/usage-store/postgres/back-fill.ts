import { parseData } from '../event-data.ts';
import { addTo, emptyContributions, insertDelta } from './contributions.ts';
import { type Database, LOCKS, underLock } from './database.ts';
import { toSeries } from './series.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

interface Page {
  row_id: number;
  is_own: boolean;
  subject: number;
  time_ms: number;
  data: string | null;
}

/** Counts some of the events that were stored before a series. @returns whether there were any */
export async function backFillStep(db: Database, tuples: Tuples, maxEvents: number): Promise<boolean> {
  return underLock(db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
    const { rows } = await client.query<{
      series: number;
      spec: string;
      event_type: number;
      back_filled_row: number;
      last_row: number;
    }>('SELECT * FROM rollup_series WHERE NOT dropped AND back_filled_row < last_row ORDER BY series LIMIT 1');
    const [row] = rows;
    if (row === undefined) return false;
    const page = await client.query<Page>(
      `SELECT row_id, type = $3 AND voided_by IS NULL AS is_own, subject, time_ms,
         CASE WHEN type = $3 AND voided_by IS NULL THEN data END AS data
       FROM events WHERE row_id > $1 AND row_id <= $2 ORDER BY row_id LIMIT $4`,
      [row.back_filled_row, row.last_row, row.event_type, maxEvents],
    );
    const into = emptyContributions(toSeries(row));
    const combinations: (readonly string[])[] = [];
    for (const { row_id, is_own, subject, time_ms, data } of page.rows) {
      if (!is_own) continue;
      combinations.push(addTo(into, row_id, { subject, timeMs: time_ms, data: parseData(data) }));
      await giveWay();
    }
    into.dims = await tuples.idsOfStored(row.series, combinations);
    if (into.places.length > 0) {
      await insertDelta(client, into, [...into.places.keys()], (place) => place);
    }
    const isLast = page.rows.length < maxEvents;
    await client.query('UPDATE rollup_series SET back_filled_row = $2, looked_at = looked_at + $3 WHERE series = $1', [
      row.series,
      isLast ? row.last_row : page.rows.at(-1)?.row_id,
      page.rows.length,
    ]);
    return true;
  });
}

const REMOVED_ROWS_PER_STEP = 5000;

/** Removes some of what a series that no meter needs has left. @returns whether there was any */
export async function removeStep(db: Database): Promise<boolean> {
  return underLock(db, LOCKS.upkeep, 'READ COMMITTED', async (client) => {
    const { rows } = await client.query<{ series: number }>(
      'SELECT series FROM rollup_series WHERE dropped ORDER BY series LIMIT 1',
    );
    const [row] = rows;
    if (row === undefined) return false;
    for (const table of ['rollup_deltas', 'rollup_dirty', 'rollups', 'rollup_values', 'rollup_tuples', 'rollup_wide']) {
      const { rowCount } = await client.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE series = $1 LIMIT ${REMOVED_ROWS_PER_STEP}))`,
        [row.series],
      );
      if (rowCount === REMOVED_ROWS_PER_STEP) return true;
    }
    await client.query('DELETE FROM rollup_series WHERE series = $1', [row.series]);
    return true;
  });
}
