import type { Sqlite } from '../../../platform/db/sqlite.ts';

/** Quarters of an hour whose roll-ups are not true any more; see the table's comment. */
export interface DirtyQuarters {
  /** To be called in the transaction that changes what these quarters hold. @param type name_id of the events' type */
  mark(type: number, quarters: Iterable<number>): void;
  /** The first one of a series whose events are all counted. */
  next(): { series: number; quarter: number } | undefined;
}

export function openDirtyQuarters(db: Sqlite): DirtyQuarters {
  const seriesOf = db.prepare('SELECT series FROM rollup_series WHERE event_type = ? AND dropped = 0').pluck();
  const insert = db.prepare('INSERT OR IGNORE INTO rollup_dirty VALUES (?, ?)');
  const first = db.prepare(
    `SELECT series, quarter FROM rollup_dirty JOIN rollup_series USING (series)
     WHERE dropped = 0 AND back_filled_row >= last_row ORDER BY series, quarter LIMIT 1`,
  );
  return {
    mark(type, quarters) {
      const series = seriesOf.all(type) as number[];
      for (const quarter of quarters) for (const one of series) insert.run(one, quarter);
    },
    next: () => first.get() as { series: number; quarter: number } | undefined,
  };
}

/** The dirty quarters of a series, ascending. */
export function dirtyQuartersOf(db: Sqlite, series: number): number[] {
  return db
    .prepare('SELECT quarter FROM rollup_dirty WHERE series = ? ORDER BY quarter')
    .pluck()
    .all(series) as number[];
}
