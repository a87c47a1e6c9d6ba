import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Cell, MergeCells } from '../../aggregations/cell.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import {
  type BucketSize,
  bucketOf,
  bucketStartMs,
  LEVELS,
  type Level,
  levelByCode,
  levelsOf,
  type RollupKey,
} from '../../series/levels.ts';
import { rowsOfSubjectIds } from '../seen/subject-rows.ts';
import { decodeContributions } from './contributions.ts';
import { type EventRow, prepareEventPages } from './event-pages.ts';
import { type FoldRow, projectToLevel } from './fold-tasks.ts';
import type { StripPending } from './pending-strip.ts';
import { preparePutRow } from './rollup-rows.ts';
import { prepareRowReading, type RollupRow } from './row-reading.ts';
import type { LiveSeries } from './series-registry.ts';

/**
 * Computes one quarter of an hour of a series anew from the events of some subjects, and of all larger buckets around it
 * what that changes. To be called in a transaction in which nothing is being folded and the series is back-filled: then
 * rows of all levels hold the same events, all but those of the active deltas. What these have of the subjects in the
 * quarter is taken out of them.
 * @param subjects name_ids; undefined: all
 */
export type RebuildQuarter = (series: LiveSeries, quarter: number, subjects: readonly number[] | undefined) => void;

/** With more events the quarter is read as a whole. */
const MAX_GATHERED_ROWS = 20_000;

export function prepareRebuild(db: Sqlite, stripPending: StripPending): RebuildQuarter {
  const rows = prepareRowReading(db);
  const putRow = preparePutRow(db);
  const clean = db.prepare('DELETE FROM rollup_dirty_subjects WHERE series = ? AND quarter = ?');
  const sourceRows = prepareSourceReading(db);
  const addEvents = prepareEventReading(db);
  const [smallest] = LEVELS as [Level, ...Level[]];

  return (series, quarter, only) => {
    const subjects = addEvents(series, quarter, only);
    const wanted = subjects && new Set(subjects);
    stripPending(series, bucketStartMs('quarter', quarter), bucketStartMs('quarter', quarter + 1), wanted);
    const taken = series.take();
    const { spec } = series;
    const parts = taken === undefined ? [] : [decodeContributions(spec.aggregation, taken.bytes)];
    const changed = new Map<number, Map<string, RollupKey>>();
    const fresh = projectToLevel(parts, series.series, spec, smallest);
    const kept = rows.read(series.series, smallest.code, quarter, quarter + 1, wanted);
    for (const { key, cell } of [...differences(fresh, kept, wanted, series.series, smallest)]) {
      putRow(key, cell);
      note(changed, key);
    }
    const merge = AGGREGATIONS[spec.aggregation].merge;
    const levels = new Set(levelsOf(spec.dimensions.length > 0));
    for (const { code, from } of DERIVED) {
      const level = levelByCode(code);
      if (!levels.has(level)) continue;
      const source = from.map(levelByCode).find((candidate) => levels.has(candidate)) as Level;
      const keys = derivedKeys(changed.get(source.code), source, level);
      for (const { key, cell } of source.bySubject && !level.bySubject
        ? sumSubjects(() => rows.read(series.series, source.code, quarter, quarter + 1, undefined), keys, merge)
        : sumRows(keys, (key) => sourceRows(key, source, level), merge)) {
        putRow(key, cell);
        note(changed, key);
      }
    }
    clean.run(series.series, quarter);
  };
}

interface KeyedCell {
  key: RollupKey;
  /** undefined: nothing is left. */
  cell: Cell | undefined;
}

/** Each key's sum of the rows below it. */
function* sumRows(
  keys: readonly RollupKey[],
  rowsOf: (key: RollupKey) => Iterable<Cell>,
  merge: MergeCells,
): Generator<KeyedCell> {
  for (const key of keys) {
    let sum: Cell | undefined;
    for (const cell of rowsOf(key)) {
      if (sum === undefined) sum = cell;
      else merge(sum, cell);
    }
    yield { key, cell: sum };
  }
}

/** The same over all subjects of one bucket, in one walk: the rows are in the order of subjects. */
function sumSubjects(rowsOf: () => Iterable<RollupRow>, keys: readonly RollupKey[], merge: MergeCells): KeyedCell[] {
  const sums = new Map(keys.map((key) => [`${key[4]} ${key[5]}`, { key, cell: undefined } as KeyedCell]));
  // A statement that is opened must be read to its end.
  if (keys.length === 0) return [];
  for (const [, , dims, value, ...columns] of rowsOf()) {
    const sum = sums.get(`${dims} ${value}`);
    if (sum === undefined) continue;
    const cell = toCell(columns);
    if (sum.cell === undefined) sum.cell = cell;
    else merge(sum.cell, cell);
  }
  return [...sums.values()];
}

/** Adds the events of a quarter to a series. @returns the subjects that were added; undefined: all */
function prepareEventReading(
  db: Sqlite,
): (series: LiveSeries, quarter: number, only: readonly number[] | undefined) => readonly number[] | undefined {
  const columns = 'row_id, subject, time_ms, data';
  const conditions = 'type = ? AND voided_by IS NULL';
  const pagesOf = prepareEventPages(db);
  const ofRows = db.prepare(
    `SELECT ${columns} FROM events NOT INDEXED
     WHERE row_id IN (SELECT value FROM json_each(?)) AND time_ms >= ? AND time_ms < ? AND ${conditions}`,
  );
  return (series, quarter, only) => {
    const [fromMs, toMs] = [bucketStartMs('quarter', quarter), bucketStartMs('quarter', quarter + 1)];
    const range = { fromMs, toMs: toMs - 1, afterRow: 0, max: MAX_GATHERED_ROWS };
    const rowIds = only && rowsOfSubjectIds(db, only, range);
    // Not one by one: what an event adds may have to be written, which no open statement allows.
    if (rowIds !== undefined) {
      const found = ofRows.all(JSON.stringify(rowIds), fromMs, toMs, series.eventType) as EventRow[];
      for (const row of found) series.addStored(row);
      return only;
    }
    for (const page of pagesOf(series.eventType, fromMs, toMs)) for (const row of page) series.addStored(row);
    return undefined;
  };
}

/** What each other level is added up from: the first of these levels that the series has. */
const DERIVED: readonly { code: number; from: readonly number[] }[] = [
  { code: 2, from: [1] },
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
  subjects: ReadonlySet<number> | undefined,
  series: number,
  level: Level,
): Generator<{ key: RollupKey; cell: Cell | undefined }> {
  const old = new Map<string, { key: RollupKey; text: string }>();
  for (const [bucket, subject, dims, value, ...figures] of kept) {
    if (subjects !== undefined && !subjects.has(subject)) continue;
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
    const key: RollupKey = [series, level.code, larger, level.bySubject ? subject : 0, level.byDims ? dims : 0, value];
    keys.set(JSON.stringify(key), key);
  }
  return [...keys.values()];
}

/** Reads the rows of a smaller level that one row of a larger one is the sum of. */
function prepareSourceReading(db: Sqlite): (key: RollupKey, source: Level, level: Level) => Iterable<Cell> {
  const select = (rest: string) =>
    db
      .prepare(
        `SELECT n, m, figure, at_ms, row_id, first_ms, last_ms FROM rollups
         WHERE series = ? AND level = ? AND bucket = ? AND ${rest} value = ?`,
      )
      .raw();
  const exact = select('subject = ? AND dims = ? AND');
  const ofAllDims = select('subject = ? AND');
  return function* sourceRows([series, , bucket, subject, dims, value], source, level) {
    const [first, end] = innerBuckets(level.size, bucket, source.size);
    for (let inner = first; inner < end; inner++) {
      const found =
        source.byDims && !level.byDims
          ? ofAllDims.all(series, source.code, inner, subject, value)
          : exact.all(series, source.code, inner, subject, dims, value);
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
