import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Cell } from '../../aggregations/cell.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { bucketOf, compareKeys, type Level, levelsOf, type RollupKey } from '../../series/levels.ts';
import type { SeriesSpec } from '../../series/series-spec.ts';
import { type Contributions, contributionCell, decodeContributions } from './contributions.ts';
import { sortedOrder } from './sorted-order.ts';

/** One row to be added to the rollups. */
export interface FoldRow {
  key: RollupKey;
  cell: Cell;
}

/** What a transaction added to a series. */
export interface DeltaRow {
  delta_id: number;
  series: number;
  contributions: Uint8Array;
  first_ms: number | null;
  last_ms: number | null;
}

/** What folding asks of a series; the writer's has it. */
export interface FoldedSeries {
  readonly series: number;
  readonly spec: SeriesSpec;
}

/**
 * All rows that a frozen generation adds, in the order of their keys, one level of one series at a time: so that what
 * is in memory stays a fraction of it.
 * @param position the last key that is applied already
 * @param onUnreadable told of what is left out: it must not keep all other series from being folded
 */
export function* foldTasks(
  db: Sqlite,
  generation: number,
  live: readonly FoldedSeries[],
  position: RollupKey | undefined,
  onUnreadable: (delta: DeltaRow) => void,
): Generator<FoldRow[]> {
  const read = db.prepare('SELECT * FROM rollup_deltas WHERE generation = ? AND series = ? ORDER BY delta_id');
  for (const { series, spec } of live) {
    if (position !== undefined && series < position[0]) continue;
    const deltas = read.all(generation, series) as DeltaRow[];
    const parts = deltas.flatMap((delta) => {
      try {
        return [decodeContributions(spec.aggregation, delta.contributions)];
      } catch {
        onUnreadable(delta);
        return [];
      }
    });
    for (const level of levelsOf(spec.dimensions.length > 0)) {
      if (position !== undefined && series === position[0] && level.code < position[1]) continue;
      const rows = projectToLevel(parts, series, spec, level);
      yield position === undefined ? rows : rows.filter((row) => compareKeys(row.key, position) > 0);
    }
  }
}

/** Adds up contributions in the buckets of a level; rows come in the order of their keys. */
export function projectToLevel(
  parts: readonly Contributions[],
  series: number,
  spec: SeriesSpec,
  level: Level,
): FoldRow[] {
  const columns = columnsOf(parts, level);
  const { bucket, subject, dims, value, cellAt } = columns;
  const at = (column: Int32Array, index: number) => column[index] as number;
  const merge = AGGREGATIONS[spec.aggregation].merge;
  const rows: FoldRow[] = [];
  let last: FoldRow | undefined;
  for (const index of sortedOrder(columns)) {
    const cell = cellAt(index);
    const text = value?.[index] ?? '';
    const isSame =
      last !== undefined &&
      last.key[2] === bucket[index] &&
      last.key[3] === subject[index] &&
      last.key[4] === dims[index] &&
      last.key[5] === text;
    if (isSame && last !== undefined) {
      merge(last.cell, cell);
    } else {
      last = { key: [series, level.code, at(bucket, index), at(subject, index), at(dims, index), text], cell };
      rows.push(last);
    }
  }
  return rows;
}

/** All contributions one behind the other, as the level sees them. */
function columnsOf(parts: readonly Contributions[], { size, bySubject, byDims }: Level) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bucket = new Int32Array(length);
  const subject = new Int32Array(length);
  const dims = new Int32Array(length);
  const partOf = new Uint32Array(length);
  const starts: number[] = [];
  const hasValues = parts.some((part) => part.values !== undefined);
  const value: string[] | undefined = hasValues ? [] : undefined;
  const months = new Map<number, number>();
  const bucketAt = (timeMs: number): number => {
    if (size !== 'month') return bucketOf(size, timeMs);
    const day = bucketOf('day', timeMs);
    let month = months.get(day);
    if (month === undefined) {
      month = bucketOf('month', timeMs);
      months.set(day, month);
    }
    return month;
  };
  let at = 0;
  for (const [number, part] of parts.entries()) {
    starts.push(at);
    for (let index = 0; index < part.length; index++, at++) {
      bucket[at] = bucketAt(part.timeMs[index] as number);
      if (bySubject) subject[at] = part.subject[index] as number;
      if (byDims) dims[at] = part.dims[index] as number;
      partOf[at] = number;
      value?.push(part.values?.[index] ?? '');
    }
  }
  const cellAt = (index: number): Cell => {
    const number = partOf[index] as number;
    return contributionCell(parts[number] as Contributions, index - (starts[number] as number));
  };
  return { bucket, subject, dims, value, cellAt };
}
