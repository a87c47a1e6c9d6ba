import { Decimal } from '../../../platform/decimal.ts';
import type { Cell } from '../aggregations/cell.ts';
import { type Figure, toFigure } from '../aggregations/figure.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import { bucketStartMs, type Level } from '../series/levels.ts';
import type { SeriesSpec } from '../series/series-spec.ts';
import { numberArray, type PgClient, readInParts } from './database.ts';
import { bucketSql, ENTRIES, foldedFigure } from './figure-sql.ts';
import { keepingOf } from './series.ts';

/** What a level holds of one key, in the roll-ups or in what waits to be added to them. */
type Row = [
  bucket: number,
  subject: number,
  dims: number,
  value: string,
  n: number,
  m: number,
  figure: string | null,
  atMs: number | null,
  rowId: number | null,
  firstMs: number,
  lastMs: number,
];

export interface RollupRow {
  bucket: number;
  subject: number;
  dims: number;
  value: string;
  cell: Cell;
}

/** Whole buckets of a level, from `first` to before `end`. */
export interface Buckets {
  level: Level;
  first: number;
  end: number;
}

/** More seeks than this are slower than reading the buckets of all subjects. */
const MAX_SEEKS = 4096;

/**
 * The rows of some buckets, with what is not folded yet; a key may come twice.
 * @param subjects name_ids; undefined: all
 * @param isSummed one row a bucket, for whoever tells neither subjects nor dimensions apart and adds up
 */
export async function* readRows(
  client: PgClient,
  { series, spec }: { series: number; spec: SeriesSpec },
  buckets: Buckets,
  subjects: readonly number[] | undefined,
  isSummed = false,
): AsyncGenerator<RollupRow[]> {
  const { text, params } = rowsSql(series, spec, buckets, subjects);
  const sums = `SELECT bucket, 0::bigint, 0::bigint, '', sum(n)::bigint, sum(m)::bigint, sum(figure), NULL::bigint, NULL::bigint,
    min(first_ms), max(last_ms) FROM (${text}) AS r GROUP BY bucket`;
  const keepsSum = AGGREGATIONS[spec.aggregation].keeping;
  const isAdded = isSummed && (keepsSum === 'sum' || keepsSum === 'counts');
  for await (const part of readInParts<Row>(client, isAdded ? sums : text, params)) yield part.map(toRow);
}

/** The rows as SQL, for whoever asks more of them. */
export function rowsSql(
  series: number,
  spec: SeriesSpec,
  { level, first, end }: Buckets,
  subjects: readonly number[] | undefined,
): { text: string; params: (number | string | null)[] } {
  const ofSubjects = level.bySubject ? subjects : undefined;
  const isSought = ofSubjects !== undefined && (end - first) * ofSubjects.length <= MAX_SEEKS;
  const columns = `r.bucket, r.subject, r.dims, r.value, r.n, r.m, r.figure, r.at_ms, r.row_id, r.first_ms, r.last_ms`;
  const kept = isSought
    ? `SELECT ${columns} FROM generate_series($3::bigint, $4::bigint - 1) AS b, unnest($7::bigint[]) AS s, rollups AS r
       WHERE r.series = $1 AND r.level = $2 AND r.bucket = b AND r.subject = s`
    : `SELECT ${columns} FROM rollups AS r WHERE r.series = $1 AND r.level = $2 AND r.bucket >= $3 AND r.bucket < $4
       AND ($7::bigint[] IS NULL OR r.subject = ANY($7))`;
  const keeping = keepingOf(spec);
  const waiting = `SELECT ${bucketSql(level.size, 'u.time_ms')}, ${level.bySubject ? 'u.subject' : '0::bigint'},
      ${level.byDims ? 'u.dims' : '0::bigint'}, coalesce(u.value, '') COLLATE "C", count(*), count(u.figure),
      ${foldedFigure(keeping, { figure: 'u.figure', atMs: 'u.time_ms', rowId: 'u.row_id' })}, min(u.time_ms), max(u.time_ms)
    FROM rollup_deltas AS d, ${ENTRIES}
    WHERE d.series = $1 AND d.first_ms < $6 AND d.last_ms >= $5 AND u.time_ms >= $5 AND u.time_ms < $6
      AND ($7::bigint[] IS NULL OR u.subject = ANY($7))
    GROUP BY 1, 2, 3, 4`;
  return {
    text: `${kept} UNION ALL ${waiting}`,
    params: [
      series,
      level.code,
      first,
      end,
      bucketStartMs(level.size, first),
      bucketStartMs(level.size, end),
      ofSubjects === undefined ? null : numberArray(ofSubjects),
    ],
  };
}

function toRow([bucket, subject, dims, value, n, m, figure, atMs, rowId, firstMs, lastMs]: Row): RollupRow {
  const cell = { n, m, figure: figureOf(figure), atMs: atMs ?? 0, rowId: rowId ?? 0, firstMs, lastMs };
  return { bucket, subject, dims, value, cell };
}

const SHORT_INTEGER = /^-?\d{1,15}$/;

/** A numeric as the aggregations take it. */
function figureOf(text: string | null): Figure | null {
  if (text === null) return null;
  return SHORT_INTEGER.test(text) ? Number.parseInt(text, 10) : toFigure(new Decimal(text));
}
