import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { canonicalSpec } from '../../series/series-spec.ts';
import type { MeterSpec, SeriesProgress } from '../../types.ts';
import type { SeriesRow } from './series-row.ts';

/** How far the back-fill of a meter's roll-ups is; undefined when the store keeps none for it. */
export function seriesProgress(db: Sqlite, meter: MeterSpec): SeriesProgress | undefined {
  const row = db.prepare('SELECT * FROM rollup_series WHERE spec = ? AND dropped = 0').get(canonicalSpec(meter)) as
    | SeriesRow
    | undefined;
  if (row === undefined) return undefined;
  // Rows may begin above 1 where old events were removed; a back-fill then starts close below the first.
  return {
    isFinished: row.back_filled_row >= row.last_row,
    lookedAt: row.back_filled_row,
    total: row.last_row,
    wideDimensions: JSON.parse(row.wide) as string[],
  };
}
