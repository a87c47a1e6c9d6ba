import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { VerifyResult } from '../../types.ts';
import { completeFromMs } from '../retention/complete-from.ts';
import { type Cell, cellMerger, type MergeCells } from './cell.ts';
import { dirtyQuartersOf } from './dirty.ts';
import { eventReading, parseData } from './event-reading.ts';
import { bucketOf, bucketStartMs, type Level, levelsOf } from './levels.ts';
import { loadPending, type Pending } from './pending.ts';
import { prepareRowReading } from './row-reading.ts';
import type { SeriesRow, SeriesSpec } from './series-spec.ts';

const MAX_DIFFERENCES = 100;

/** Cells by subject, dimensions and value, within one bucket. */
type Cells = Map<string, Cell>;

/**
 * Recomputes every series from the events and compares all its levels, with what is still pending. To be called in one
 * snapshot. A bucket at a time: a month is read as often as there are sizes, but never held in memory as a whole where
 * it is large.
 */
export function verifyRollups(db: Sqlite): VerifyResult {
  const series = db
    .prepare('SELECT * FROM rollup_series WHERE dropped = 0 AND back_filled_row >= last_row')
    .all() as SeriesRow[];
  const result = { series: series.length, cells: 0, waiting: 0, differences: [] as string[] };
  for (const row of series) verifySeries(db, row, result);
  return result;
}

function verifySeries(
  db: Sqlite,
  row: SeriesRow,
  result: Omit<VerifyResult, 'differences'> & { differences: string[] },
): void {
  const spec = JSON.parse(row.spec) as SeriesSpec;
  const pending = loadPending(db, row.series, spec);
  const rows = prepareRowReading(db);
  const tupleTexts = readTuples(db, row.series);
  const wide = spec.dimensions.map(([name]) => (JSON.parse(row.wide) as string[]).includes(name));
  const merge = cellMerger(spec.aggregation);
  const dirty = dirtyQuartersOf(db, row.series);
  result.waiting += dirty.length;
  // What is older cannot be computed anew any more.
  const completeFrom = completeFromMs(db) ?? Number.NEGATIVE_INFINITY;
  for (const level of levelsOf(spec.dimensions.length > 0)) {
    const isDirty = new Set(dirty.map((quarter) => bucketOf(level.size, bucketStartMs('quarter', quarter))));
    for (const bucket of bucketsOf(db, row, level, rows.bounds(row.series, level.code), pending)) {
      if (isDirty.has(bucket) || bucketStartMs(level.size, bucket) < completeFrom) continue;
      const kept: Cells = new Map();
      const keep = (subject: number, dims: number, value: string, cell: Cell) => {
        const texts = (tupleTexts.get(dims) ?? []).map((text, index) => (wide[index] ? '' : text));
        addCell(kept, [subject, level.byDims ? texts : [], value], cell, merge);
      };
      for (const [, subject, dims, value, n, m, figure, atMs, rowId, firstMs, lastMs] of rows.read(
        row.series,
        level.code,
        bucket,
        bucket + 1,
        undefined,
      )) {
        keep(subject, dims, value, { n, m, figure, atMs: atMs ?? 0, rowId: rowId ?? 0, firstMs, lastMs });
      }
      pending.visit({ level, first: bucket, end: bucket + 1 }, undefined, (_, subject, dims, value, cell) =>
        keep(subject, dims, value, cell),
      );
      compareCells(
        kept,
        recompute(db, spec, level, bucket, wide),
        `series ${row.series}, ${describe(level, bucket)}`,
        result,
      );
    }
  }
}

function readTuples(db: Sqlite, series: number): Map<number, string[]> {
  const rows = db.prepare('SELECT tuple_id, texts FROM rollup_tuples WHERE series = ?').all(series);
  return new Map(
    (rows as { tuple_id: number; texts: string }[]).map((row) => [row.tuple_id, JSON.parse(row.texts) as string[]]),
  );
}

/** Buckets that have events, or should not have anything and do. */
function* bucketsOf(
  db: Sqlite,
  row: SeriesRow,
  { size, code }: Level,
  kept: [number, number] | undefined,
  pending: Pending,
): Generator<number> {
  const nextEvent = db
    .prepare('SELECT time_ms FROM events INDEXED BY events_by_time WHERE time_ms >= ? ORDER BY time_ms LIMIT 1')
    .pluck();
  const nextKept = db
    .prepare('SELECT bucket FROM rollups WHERE series = ? AND level = ? AND bucket >= ? LIMIT 1')
    .pluck();
  const starts = [
    kept?.[0],
    pending.firstMs <= pending.lastMs ? bucketOf(size, pending.firstMs) : undefined,
    optionalBucket(size, db.prepare('SELECT min(time_ms) FROM events').pluck().get()),
  ].filter((bucket) => bucket !== undefined);
  let bucket = starts.length === 0 ? undefined : Math.min(...starts);
  while (bucket !== undefined) {
    yield bucket;
    const following: number = bucket + 1;
    const candidates: (number | undefined)[] = [
      optionalBucket(size, nextEvent.get(bucketStartMs(size, following))),
      nextKept.get(row.series, code, following) as number | undefined,
    ];
    const found = candidates.filter((candidate) => candidate !== undefined);
    bucket = found.length === 0 ? undefined : Math.min(...found);
  }
}

function optionalBucket(size: Level['size'], atMs: unknown): number | undefined {
  return typeof atMs === 'number' ? bucketOf(size, atMs) : undefined;
}

function recompute(db: Sqlite, spec: SeriesSpec, level: Level, bucket: number, wide: readonly boolean[]): Cells {
  const reading = eventReading(spec);
  const merge = cellMerger(spec.aggregation);
  const cells: Cells = new Map();
  const rows = db
    .prepare(
      `SELECT row_id, subject, time_ms, data FROM events INDEXED BY events_by_time
       WHERE time_ms >= ? AND time_ms < ? AND type = (SELECT name_id FROM names WHERE text = ?)
       AND voided_by IS NULL`,
    )
    .raw()
    .iterate(bucketStartMs(level.size, bucket), bucketStartMs(level.size, bucket + 1), spec.eventType);
  for (const [rowId, subject, timeMs, data] of rows as IterableIterator<[number, number, number, string | null]>) {
    const parsed = parseData(data);
    const figure = reading.figure(parsed);
    const texts = level.byDims ? reading.dimensions.map((read, index) => (wide[index] ? '' : read(parsed))) : [];
    const m = figure === null ? 0 : 1;
    const cell = { n: 1, m, figure, atMs: timeMs, rowId, firstMs: timeMs, lastMs: timeMs };
    addCell(cells, [level.bySubject ? subject : 0, texts, reading.value(parsed)], cell, merge);
  }
  return cells;
}

function addCell(cells: Cells, key: readonly unknown[], cell: Cell, merge: MergeCells): void {
  const text = JSON.stringify(key);
  const there = cells.get(text);
  if (there === undefined) cells.set(text, { ...cell });
  else merge(there, cell);
}

function compareCells(
  kept: Cells,
  recomputed: Cells,
  where: string,
  result: { cells: number; differences: string[] },
): void {
  for (const key of new Set([...kept.keys(), ...recomputed.keys()])) {
    result.cells++;
    const [a, b] = [cellText(kept.get(key)), cellText(recomputed.get(key))];
    if (a !== b && result.differences.length < MAX_DIFFERENCES) {
      result.differences.push(`${where}, ${key}: kept ${a}, by the events ${b}`);
    }
  }
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return 'nothing';
  const { n, m, figure, firstMs, lastMs } = cell;
  return JSON.stringify({ n, m, figure, firstMs, lastMs });
}

function describe({ size, code }: Level, bucket: number): string {
  return `level ${code}, ${size} of ${new Date(bucketStartMs(size, bucket)).toISOString()}`;
}
