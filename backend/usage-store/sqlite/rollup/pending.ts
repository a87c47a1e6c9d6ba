import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { Cell } from './cell.ts';
import { type Contributions, contributionCell, decodeContributions } from './contributions.ts';
import { bucketOf, bucketStartMs, compareKeys, type Level, type RollupKey } from './levels.ts';
import type { SeriesSpec } from './series-spec.ts';

/** What transactions have added and the rollups do not have yet. */
export interface Pending {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Calls back for each event in the buckets of a level that its rows do not count yet. */
  visit(level: Level, first: number, end: number, take: TakeCell): void;
}

export type TakeCell = (bucket: number, subject: number, dims: number, value: string, cell: Cell) => void;

/** Reads the deltas of a series, in the snapshot of the caller. */
export function loadPending(db: Sqlite, series: number, spec: SeriesSpec): Pending {
  const state = db.prepare('SELECT frozen, position FROM rollup_fold').get() as {
    frozen: number;
    position: string | null;
  };
  const position = state.position === null ? undefined : (JSON.parse(state.position) as RollupKey);
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
    visit(level, first, end, take) {
      const [fromMs, toMs] = [bucketStartMs(level.size, first), bucketStartMs(level.size, end)];
      for (const { isFrozen, part } of parts) {
        visitPart(part, fromMs, toMs, level, isFrozen ? (key) => isApplied(key, position) : undefined, series, take);
      }
    },
  };
}

/** Rows up to the position hold what the frozen generation adds to them. */
function isApplied(key: RollupKey, position: RollupKey | undefined): boolean {
  return position !== undefined && compareKeys(key, position) <= 0;
}

function visitPart(
  part: Contributions,
  fromMs: number,
  toMs: number,
  level: Level,
  isCounted: ((key: RollupKey) => boolean) | undefined,
  series: number,
  take: TakeCell,
): void {
  for (let index = 0; index < part.length; index++) {
    const timeMs = part.timeMs[index] as number;
    if (timeMs < fromMs || timeMs >= toMs) continue;
    const bucket = bucketOf(level.size, timeMs);
    const subject = level.bySubject ? (part.subject[index] as number) : 0;
    const dims = level.byDims ? (part.dims[index] as number) : 0;
    const value = part.values?.[index] ?? '';
    if (isCounted?.([series, level.code, bucket, subject, dims, value])) continue;
    take(bucket, subject, dims, value, contributionCell(part, index));
  }
}
