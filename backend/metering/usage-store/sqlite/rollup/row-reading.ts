import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { Decimal } from '../../../../platform/decimal.ts';
import { type Figure, toFigure } from '../../aggregations/figure.ts';

/** A row of the rollups without series and level. */
export type RollupRow = [
  bucket: number,
  subject: number,
  dims: number,
  value: string,
  n: number,
  m: number,
  figure: Figure | null,
  atMs: number | null,
  rowId: number | null,
  firstMs: number,
  lastMs: number,
];

export interface RowReading {
  /** Rows of the buckets from `first` to before `end`; of other subjects too where that is faster. */
  read(
    series: number,
    level: number,
    first: number,
    end: number,
    subjects: ReadonlySet<number> | undefined,
  ): Iterable<RollupRow>;
  /**
   * The same buckets, one row for each where its figures add up in SQL, for whoever tells neither subjects nor dimensions
   * apart. Not for minima, maxima, latest and distinct values.
   */
  readSums(series: number, level: number, first: number, end: number): Iterable<RollupRow>;
  /** The first and the last bucket of a level. */
  bounds(series: number, level: number): [number, number] | undefined;
}

/** Of a bucket: integers in two halves, whose sums SQL cannot overflow; `texts` are figures that only Decimal adds up. */
type SumRow = [
  bucket: number,
  n: number,
  m: number,
  high: number | null,
  low: number | null,
  texts: number,
  firstMs: number,
  lastMs: number,
];

const HALF_BITS = 26;
const HALF = 2 ** HALF_BITS;
const COLUMNS = 'bucket, subject, dims, value, n, m, figure, at_ms, row_id, first_ms, last_ms';
/** Some 0.4 s of looking up; a range so wide or so many subjects are better read in one go. */
const MAX_SEEKS = 200_000;

export function prepareRowReading(db: Sqlite): RowReading {
  const range = db
    .prepare(`SELECT ${COLUMNS} FROM rollups WHERE series = ? AND level = ? AND bucket >= ? AND bucket < ?`)
    .raw();
  const seek = db
    .prepare(`SELECT ${COLUMNS} FROM rollups WHERE series = ? AND level = ? AND bucket = ? AND subject = ?`)
    .raw();
  const sums = db
    .prepare(
      `SELECT bucket, sum(n), sum(m), sum(figure >> ${HALF_BITS}), sum(figure & ${HALF - 1}), sum(typeof(figure) = 'text'),
         min(first_ms), max(last_ms)
       FROM rollups WHERE series = ? AND level = ? AND bucket >= ? AND bucket < ? GROUP BY bucket ORDER BY bucket`,
    )
    .raw();
  const end = (direction: 'ASC' | 'DESC') =>
    db
      .prepare(`SELECT bucket FROM rollups WHERE series = ? AND level = ? ORDER BY bucket ${direction} LIMIT 1`)
      .pluck();
  const [first, last] = [end('ASC'), end('DESC')];
  return {
    read(series, level, from, to, subjects) {
      if (subjects !== undefined && (to - from) * subjects.size <= MAX_SEEKS) {
        return seekAll(series, level, from, to, subjects);
      }
      return range.iterate(series, level, from, to) as IterableIterator<RollupRow>;
    },
    readSums,
    bounds(series, level) {
      const lowest = first.get(series, level) as number | undefined;
      return lowest === undefined ? undefined : [lowest, last.get(series, level) as number];
    },
  };

  function* readSums(series: number, level: number, from: number, to: number): Generator<RollupRow> {
    for (const row of sums.iterate(series, level, from, to) as IterableIterator<SumRow>) {
      const [bucket, n, m, high, low, texts, firstMs, lastMs] = row;
      if (texts > 0) {
        yield* range.all(series, level, bucket, bucket + 1) as RollupRow[];
        continue;
      }
      const figure = high === null || low === null ? null : toFigure(new Decimal(high).times(HALF).plus(low));
      yield [bucket, 0, 0, '', n, m, figure, null, null, firstMs, lastMs];
    }
  }

  function* seekAll(series: number, level: number, from: number, to: number, subjects: ReadonlySet<number>) {
    for (let bucket = from; bucket < to; bucket++) {
      for (const subject of subjects) yield* seek.all(series, level, bucket, subject) as RollupRow[];
    }
  }
}
