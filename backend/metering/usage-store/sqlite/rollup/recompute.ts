import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { bucketStartMs, levelByCode } from '../../series/levels.ts';
import type { Aggregation } from '../../types.ts';
import { decodeContributions } from './contributions.ts';
import { prepareEventPages } from './event-pages.ts';
import { projectToLevel } from './fold-tasks.ts';
import type { AddRows } from './rollup-rows.ts';
import type { LiveSeries } from './series-registry.ts';

/** A bucket whose rows are not what the events say. */
export interface WrongBucket {
  series: number;
  /** Code of the level. */
  level: number;
  bucket: number;
}

/** Makes the rows of a bucket anew, some events at a time. To be called in a transaction, with nothing pending. */
export function prepareRecompute(
  db: Sqlite,
  addRowsOf: (aggregation: Aggregation) => AddRows,
): (series: LiveSeries, level: number, bucket: number) => void {
  const remove = db.prepare('DELETE FROM rollups WHERE series = ? AND level = ? AND bucket = ?');
  const pagesOf = prepareEventPages(db);
  return (series, code, bucket) => {
    const level = levelByCode(code);
    const { spec } = series;
    remove.run(series.series, code, bucket);
    const [fromMs, toMs] = [bucketStartMs(level.size, bucket), bucketStartMs(level.size, bucket + 1)];
    for (const page of pagesOf(series.eventType, fromMs, toMs)) {
      for (const row of page) series.addStored(row);
      const taken = series.take();
      if (taken === undefined) continue;
      const rows = projectToLevel([decodeContributions(spec.aggregation, taken.bytes)], series.series, spec, level);
      addRowsOf(spec.aggregation)(rows, 0, rows.length);
    }
  };
}
