import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Cell, MergeCells } from '../../aggregations/cell.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { parseData } from '../../event-data.ts';
import { eventReading } from '../../series/event-reading.ts';
import { bucketOf, bucketStartMs, type Level, levelsOf } from '../../series/levels.ts';
import { rememberTuples } from '../../series/remembered-tuples.ts';
import type { SeriesSpec } from '../../series/series-spec.ts';
import type { TupleTexts } from '../../series/tuple-texts.ts';
import type { VerifyResult } from '../../types.ts';
import { completeFromMs } from '../retention/complete-from.ts';
import { dirtyQuartersOf } from './dirty.ts';
import { loadPending, type Pending } from './pending.ts';
import type { WrongBucket } from './recompute.ts';
import { prepareRowReading } from './row-reading.ts';
import type { SeriesRow } from './series-row.ts';

const MAX_DIFFERENCES = 100;

/** Cells by subject, dimensions and value, within one bucket. */
type Cells = Map<string, Cell>;

/**
 * Recomputes every series from the events and compares all its levels, with what is still pending. To be called in one
 * snapshot. A bucket at a time: a month is read as often as there are sizes, but never held in memory as a whole where
 * it is large.
 */
export function verifyRollups(db: Sqlite, onWrong: (bucket: WrongBucket) => void = () => {}): VerifyResult {
  const series = db
    .prepare('SELECT * FROM rollup_series WHERE dropped = 0 AND back_filled_row >= last_row')
    .all() as SeriesRow[];
  const result = { series: series.length, cells: 0, waiting: 0, differences: [] as string[] };
  for (const row of series) verifySeries(db, row, result, onWrong);
  return result;
}

function verifySeries(
  db: Sqlite,
  row: SeriesRow,
  result: Omit<VerifyResult, 'differences'> & { differences: string[] },
  onWrong: (bucket: WrongBucket) => void,
): void {
  const spec = JSON.parse(row.spec) as SeriesSpec;
  const pending = loadPending(db, row.series, spec);
  const rows = prepareRowReading(db);
  const textsOf = tupleTexts(db, row.series);
  const merge = AGGREGATIONS[spec.aggregation].merge;
  const dirty = dirtyQuartersOf(db, row.series);
  result.waiting += dirty.length;
  // What is older cannot be computed anew any more.
  const completeFrom = completeFromMs(db) ?? Number.NEGATIVE_INFINITY;
  for (const level of levelsOf(spec.dimensions.length > 0)) {
    const isDirty = new Set(dirty.map((quarter) => bucketOf(level.size, bucketStartMs('quarter', quarter))));
    for (const bucket of bucketsOf(db, row, level, rows.bounds(row.series, level.code), pending)) {
      if (isDirty.has(bucket) || bucketStartMs(level.size, bucket) < completeFrom) continue;
      let kept: Cells = new Map();
      const open = new Set<number>();
      const keep = (subject: number, dims: number, value: string, cell: Cell) => {
        const texts = level.byDims ? textsOf(dims) : [];
        for (const [index, text] of texts.entries()) if (text === null) open.add(index);
        addCell(kept, [subject, texts, value], cell, merge);
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
      // Where values of a dimension are not kept apart, those that are depend on the order of storing.
      if (open.size > 0) kept = withoutValues(kept, open, merge);
      const recomputed = recompute(db, spec, level, bucket, open);
      const where = `series ${row.series}, ${describe(level, bucket)}`;
      if (!compareCells(kept, recomputed, where, result)) {
        onWrong({ series: row.series, level: level.code, bucket });
      }
    }
  }
}

function tupleTexts(db: Sqlite, series: number): (tuple: number) => TupleTexts {
  const find = db.prepare('SELECT texts FROM rollup_tuples WHERE tuple_id = ? AND series = ?').pluck();
  return rememberTuples(
    (tuple) => (tuple === 0 ? [] : (JSON.parse((find.get(tuple, series) as string | undefined) ?? '[]') as TupleTexts)),
    (texts) => texts.reduce((sum, text) => sum + (text?.length ?? 0), 0),
  );
}

/** The cells with the values of some dimensions blanked out. */
function withoutValues(cells: Cells, dimensions: ReadonlySet<number>, merge: MergeCells): Cells {
  const blanked: Cells = new Map();
  for (const [key, cell] of cells) {
    const [subject, texts, value] = JSON.parse(key) as [number, TupleTexts, string];
    addCell(blanked, [subject, blank(texts, dimensions), value], cell, merge);
  }
  return blanked;
}

function blank(texts: TupleTexts, dimensions: ReadonlySet<number>): TupleTexts {
  return texts.map((text, index) => (dimensions.has(index) ? null : text));
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

function recompute(db: Sqlite, spec: SeriesSpec, level: Level, bucket: number, open: ReadonlySet<number>): Cells {
  const reading = eventReading(spec);
  const merge = AGGREGATIONS[spec.aggregation].merge;
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
    const texts = level.byDims
      ? blank(
          reading.dimensions.map((read) => read(parsed)),
          open,
        )
      : [];
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
): boolean {
  let isSame = true;
  for (const key of new Set([...kept.keys(), ...recomputed.keys()])) {
    result.cells++;
    const [a, b] = [cellText(kept.get(key)), cellText(recomputed.get(key))];
    if (a === b) continue;
    isSame = false;
    if (result.differences.length < MAX_DIFFERENCES) {
      result.differences.push(`${where}, ${key}: kept ${a}, by the events ${b}`);
    }
  }
  return isSame;
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return 'nothing';
  const { n, m, figure, firstMs, lastMs } = cell;
  return JSON.stringify({ n, m, figure, firstMs, lastMs });
}

function describe({ size, code }: Level, bucket: number): string {
  return `level ${code}, ${size} of ${new Date(bucketStartMs(size, bucket)).toISOString()}`;
}
