import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { expiredEvents } from '../../expired-events.ts';
import { bucketStartMs, MONTHS_LEVEL } from '../../series/levels.ts';
import { canonicalSpec } from '../../series/series-spec.ts';
import type { UsageQuery } from '../../types.ts';
import type { SeriesRow } from '../rollup/series-row.ts';

/** From which instant on all events are still stored; undefined: from the first. Always the start of a quarter of an hour. */
export function completeFromMs(db: Sqlite): number | undefined {
  const fromMs = db.prepare('SELECT complete_from_ms FROM store').pluck().get() as number | null;
  return fromMs ?? undefined;
}

/**
 * To be called before a query reads events. A meter that has kept its figures from before events were removed would
 * suddenly have smaller ones; one that was made later counts what was left at its creation, always.
 * @throws RefusedQuery
 */
export function refuseExpired(db: Sqlite, { meter, fromMs }: UsageQuery): void {
  const completeFrom = completeFromMs(db);
  if (completeFrom === undefined) return;
  if (Math.max(fromMs ?? Number.NEGATIVE_INFINITY, meter.eventsFromMs ?? Number.NEGATIVE_INFINITY) >= completeFrom)
    return;
  const series = db.prepare('SELECT * FROM rollup_series WHERE spec = ? AND dropped = 0').get(canonicalSpec(meter)) as
    | SeriesRow
    | undefined;
  if (series === undefined) return;
  const first = db
    .prepare('SELECT bucket FROM rollups WHERE series = ? AND level = ? ORDER BY bucket LIMIT 1')
    .pluck()
    .get(series.series, MONTHS_LEVEL) as number | undefined;
  // What is not folded yet is not in the buckets.
  const pending = db.prepare('SELECT min(first_ms) FROM rollup_deltas WHERE series = ?').pluck().get(series.series);
  const firstMs = Math.min(
    first === undefined ? Number.POSITIVE_INFINITY : bucketStartMs('month', first),
    typeof pending === 'number' ? pending : Number.POSITIVE_INFINITY,
  );
  if (firstMs < completeFrom) throw expiredEvents(completeFrom);
}
