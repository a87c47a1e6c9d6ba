import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { type Cell, cellMerger } from './cell.ts';
import { decodeContributions } from './contributions.ts';
import { type FoldRow, projectToLevel } from './fold-tasks.ts';
import {
  type BucketSize,
  bucketOf,
  bucketStartMs,
  LEVELS,
  type Level,
  levelByCode,
  levelsOf,
  type RollupKey,
} from './levels.ts';
import type { StripPending } from './pending-strip.ts';
import { preparePutRow } from './rollup-rows.ts';
import { prepareRowReading, type RollupRow } from './row-reading.ts';
import type { LiveSeries } from './series-registry.ts';

/**
 * Computes one quarter of an hour of a series anew from its events, and of the days and months around it what that changes.
 * To be called in a transaction in which nothing is being folded and the series is back-filled: then rows of all levels
 * hold the same events, all but those of the active deltas. What these have of the quarter is taken out of them.
 */
export type RebuildQuarter = (series: LiveSeries, quarter: number) => void;

export function prepareRebuild(db: Sqlite, stripPending: StripPending): RebuildQuarter {
  const rows = prepareRowReading(db);
  const putRow = preparePutRow(db);
  const events = db
    .prepare(
      `SELECT row_id, subject, time_ms, data FROM events INDEXED BY events_by_time
       WHERE time_ms >= ? AND time_ms < ? AND type = ? AND voided_by IS NULL ORDER BY row_id`,
    )
    .raw();
  const clean = db.prepare('DELETE FROM rollup_dirty WHERE series = ? AND quarter = ?');
  const sourceRows = prepareSourceReading(db);

  return (series, quarter) => {
    const [fromMs, toMs] = [bucketStartMs('quarter', quarter), bucketStartMs('quarter', quarter + 1)];
    stripPending(series, fromMs, toMs);
    for (const row of events.iterate(fromMs, toMs, series.eventType)) {
      const [row_id, subject, time_ms, data] = row as [number, number, number, string | null];
      series.addStored({ row_id, subject, time_ms, data });
    }
    const taken = series.take();
    const { spec } = series;
    const parts = taken === undefined ? [] : [decodeContributions(spec.aggregation, taken.bytes)];
    const hasDims = spec.dimensions.length > 0;
    const levels = new Set(levelsOf(hasDims));
    const changed = new Map<number, Map<string, RollupKey>>();
    for (const level of LEVELS.filter((candidate) => candidate.size === 'quarter')) {
      const fresh = projectToLevel(parts, series.series, spec, level);
      const kept = rows.read(series.series, level.code, quarter, quarter + 1, undefined);
      for (const { key, cell } of differences(fresh, kept, series.series, level)) {
        putRow(key, cell);
        note(changed, key);
      }
    }
    const merge = cellMerger(spec.aggregation);
    for (const { code, from } of DERIVED) {
      const level = levelByCode(code);
      if (!levels.has(level)) continue;
      const source = from.map(levelByCode).find((candidate) => levels.has(candidate)) as Level;
      for (const key of derivedKeys(changed.get(source.code), source, level)) {
        let sum: Cell | undefined;
        for (const cell of sourceRows(key, source, level)) {
          if (sum === undefined) sum = cell;
          else merge(sum, cell);
        }
        putRow(key, sum);
        note(changed, key);
      }
    }
    clean.run(series.series, quarter);
  };
}

/** What each larger level is added up from: the first of these levels that the series has. */
const DERIVED: readonly { code: number; from: readonly number[] }[] = [
  { code: 3, from: [1] },
  { code: 4, from: [3, 1] },
  { code: 5, from: [2] },
  { code: 6, from: [4] },
  { code: 7, from: [5] },
];

function note(changed: Map<number, Map<string, RollupKey>>, key: RollupKey): void {
  let keys = changed.get(key[1]);
  if (keys === undefined) {
    keys = new Map();
    changed.set(key[1], keys);
  }
  keys.set(JSON.stringify(key), key);
}

/** Rows that are new or different, and keys (without a cell) that should not be there any more. */
function* differences(
  fresh: readonly FoldRow[],
  kept: Iterable<RollupRow>,
  series: number,
  level: Level,
): Generator<{ key: RollupKey; cell: Cell | undefined }> {
  const old = new Map<string, { key: RollupKey; text: string }>();
  for (const [bucket, subject, dims, value, ...figures] of kept) {
    const key: RollupKey = [series, level.code, bucket, subject, dims, value];
    old.set(JSON.stringify(key), { key, text: JSON.stringify(figures) });
  }
  for (const { key, cell } of fresh) {
    const name = JSON.stringify(key);
    const hasLatest = cell.figure !== null && cell.rowId !== 0;
    const { n, m, figure, atMs, rowId, firstMs, lastMs } = cell;
    const text = JSON.stringify([n, m, figure, hasLatest ? atMs : null, hasLatest ? rowId : null, firstMs, lastMs]);
    if (old.get(name)?.text !== text) yield { key, cell };
    old.delete(name);
  }
  for (const { key } of old.values()) yield { key, cell: undefined };
}

/** The keys of a level that the changed keys of its source are part of. */
function derivedKeys(changed: ReadonlyMap<string, RollupKey> | undefined, source: Level, level: Level): RollupKey[] {
  const keys = new Map<string, RollupKey>();
  for (const [series, , bucket, subject, dims, value] of changed?.values() ?? []) {
    const larger = bucketOf(level.size, bucketStartMs(source.size, bucket));
    const key: RollupKey = [series, level.code, larger, subject, level.byDims ? dims : 0, value];
    keys.set(JSON.stringify(key), key);
  }
  return [...keys.values()];
}

/** Reads the rows of a smaller level that one row of a larger one is the sum of. */
function prepareSourceReading(db: Sqlite): (key: RollupKey, source: Level, level: Level) => Iterable<Cell> {
  const columns = 'n, m, figure, at_ms, row_id, first_ms, last_ms';
  const where = 'series = ? AND level = ? AND bucket = ? AND subject = ?';
  const ofDims = db.prepare(`SELECT ${columns} FROM rollups WHERE ${where} AND dims = ? AND value = ?`).raw();
  const ofAllDims = db.prepare(`SELECT ${columns} FROM rollups WHERE ${where} AND value = ?`).raw();
  return function* sourceRows([series, , bucket, subject, dims, value], source, level) {
    const [first, end] = innerBuckets(level.size, bucket, source.size);
    const dropsDims = source.byDims && !level.byDims;
    for (let inner = first; inner < end; inner++) {
      const found = dropsDims
        ? ofAllDims.all(series, source.code, inner, subject, value)
        : ofDims.all(series, source.code, inner, subject, dims, value);
      for (const row of found) yield toCell(row as Columns);
    }
  };
}

function innerBuckets(size: BucketSize, bucket: number, inner: BucketSize): [number, number] {
  return [bucketOf(inner, bucketStartMs(size, bucket)), bucketOf(inner, bucketStartMs(size, bucket + 1) - 1) + 1];
}

type Columns = [number, number, Cell['figure'], number | null, number | null, number, number];

function toCell([n, m, figure, atMs, rowId, firstMs, lastMs]: Columns): Cell {
  return { n, m, figure, atMs: atMs ?? 0, rowId: rowId ?? 0, firstMs, lastMs };
}
