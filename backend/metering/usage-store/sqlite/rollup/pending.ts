import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Cell, MergeCells } from '../../aggregations/cell.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { bucketOf, bucketStartMs, compareKeys, type Level, type RollupKey } from '../../series/levels.ts';
import type { SeriesSpec } from '../../series/series-spec.ts';
import { type Contributions, contributionCell, decodeContributions } from './contributions.ts';

/** What transactions have added and the rollups do not have yet. */
export interface Pending {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly events: number;
  /**
   * Calls back for each event in the buckets of a level that its rows do not count yet.
   * @param subjects name_ids; undefined: all
   */
  visit(buckets: BucketRange, subjects: ReadonlySet<number> | undefined, take: TakeCell): void;
}

/** The buckets of a level from `first` to before `end`. */
export interface BucketRange {
  level: Level;
  first: number;
  end: number;
}

export type TakeCell = (bucket: number, subject: number, dims: number, value: string, cell: Cell) => void;

/** Reads the deltas of a series, in the snapshot of the caller. */
export function loadPending(db: Sqlite, series: number, spec: SeriesSpec): Pending {
  const state = db.prepare('SELECT frozen, position FROM rollup_fold').get() as {
    frozen: number;
    position: string | null;
  };
  const position = state.position === null ? undefined : (JSON.parse(state.position) as RollupKey);
  const merge = AGGREGATIONS[spec.aggregation].merge;
  const rows = db.prepare('SELECT generation, contributions FROM rollup_deltas WHERE series = ?').all(series) as {
    generation: number;
    contributions: Uint8Array;
  }[];
  const parts = rows.map(({ generation, contributions }) => ({
    isFrozen: generation === state.frozen,
    part: decodeContributions(spec.aggregation, contributions),
  }));
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { part } of parts) {
    for (const timeMs of part.timeMs) {
      if (timeMs < firstMs) firstMs = timeMs;
      if (timeMs > lastMs) lastMs = timeMs;
    }
  }
  return {
    firstMs,
    lastMs,
    events: parts.reduce((sum, { part }) => sum + part.length, 0),
    visit(buckets, subjects, take) {
      for (const { isFrozen, part } of parts) {
        const taken = isFrozen && position !== undefined ? takeUnapplied(series, buckets.level, position, take) : take;
        const isSummed = !buckets.level.bySubject && part.values === undefined;
        visitPart(part, buckets, subjects, isSummed ? summing(merge, taken) : { take: taken, flush: () => {} });
      }
    },
  };
}

/** Leaves out what the rows up to the position hold already. */
function takeUnapplied(series: number, { code }: Level, position: RollupKey, take: TakeCell): TakeCell {
  return (bucket, subject, dims, value, cell) => {
    if (compareKeys([series, code, bucket, subject, dims, value], position) > 0)
      take(bucket, subject, dims, value, cell);
  };
}

interface Sink {
  take: TakeCell;
  /** To be called when the bucket changes and at the end. */
  flush(): void;
}

/** Where subjects are not told apart, many events become few cells before they are taken further. */
function summing(merge: MergeCells, take: TakeCell): Sink {
  const byDims = new Map<number, Cell>();
  let current = 0;
  return {
    take(bucket, _subject, dims, _value, cell) {
      current = bucket;
      const there = byDims.get(dims);
      if (there === undefined) byDims.set(dims, cell);
      else merge(there, cell);
    },
    flush() {
      for (const [dims, cell] of byDims) take(current, 0, dims, '', cell);
      byDims.clear();
    },
  };
}

function visitPart(
  part: Contributions,
  { level, first, end }: BucketRange,
  subjects: ReadonlySet<number> | undefined,
  sink: Sink,
): void {
  const { size, bySubject, byDims } = level;
  const [fromMs, toMs] = [bucketStartMs(size, first), bucketStartMs(size, end)];
  const { timeMs: times, subject: subjectIds, dims: tuples, values } = part;
  // Neighbours mostly share their bucket, and the calendar is slow.
  let bucket = first;
  let bucketFromMs = fromMs;
  let bucketToMs = fromMs;
  for (let index = 0; index < part.length; index++) {
    const timeMs = times[index] as number;
    if (timeMs < fromMs || timeMs >= toMs) continue;
    const subject = bySubject ? (subjectIds[index] as number) : 0;
    if (subjects !== undefined && !subjects.has(subject)) continue;
    if (timeMs < bucketFromMs || timeMs >= bucketToMs) {
      sink.flush();
      bucket = bucketOf(size, timeMs);
      bucketFromMs = bucketStartMs(size, bucket);
      bucketToMs = bucketStartMs(size, bucket + 1);
    }
    const dims = byDims ? (tuples[index] as number) : 0;
    sink.take(bucket, subject, dims, values?.[index] ?? '', contributionCell(part, index));
  }
  sink.flush();
}
