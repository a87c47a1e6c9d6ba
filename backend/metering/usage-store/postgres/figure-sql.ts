import type { Keeping } from '../aggregations/index.ts';

/** Which columns hold a figure and, for the latest value, when it was and its row. */
interface FigureColumns {
  figure: string;
  atMs: string;
  rowId: string;
}

/** What several figures are together, as SQL: figure, time and row of the latest value. */
export function foldedFigure(keeping: Keeping, { figure, atMs, rowId }: FigureColumns): string {
  const first = (column: string) =>
    `(array_agg(${column} ORDER BY ${atMs} DESC, ${rowId} DESC) FILTER (WHERE ${figure} IS NOT NULL))[1]`;
  switch (keeping) {
    case 'counts':
      return 'NULL::numeric, NULL::bigint, NULL::bigint';
    case 'latest':
      return `${first(figure)}, ${first(atMs)}, ${first(rowId)}`;
    default:
      return `${keeping}(${figure}), NULL::bigint, NULL::bigint`;
  }
}

/** How a row of the rollups becomes itself and another of the same key; the other one is called "excluded". */
export function mergedFigure(keeping: Keeping): string {
  switch (keeping) {
    case 'counts':
      return 'figure = NULL';
    case 'sum':
      return 'figure = coalesce(r.figure + excluded.figure, r.figure, excluded.figure)';
    case 'min':
      return 'figure = least(r.figure, excluded.figure)';
    case 'max':
      return 'figure = greatest(r.figure, excluded.figure)';
    case 'latest': {
      const isLater = `excluded.figure IS NOT NULL AND
        (r.figure IS NULL OR (excluded.at_ms, excluded.row_id) > (r.at_ms, r.row_id))`;
      return ['figure', 'at_ms', 'row_id']
        .map((column) => `${column} = CASE WHEN ${isLater} THEN excluded.${column} ELSE r.${column} END`)
        .join(', ');
    }
  }
}

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** The bucket of an instant, as SQL. */
export function bucketSql(size: 'quarter' | 'day' | 'month', timeMs: string): string {
  if (size === 'quarter') return `floor_div(${timeMs}, ${QUARTER_MS})`;
  const day = `floor_div(${timeMs}, ${DAY_MS})`;
  return size === 'day' ? day : `month_of_day(${day})`;
}

/** The bucket of a size that holds one of a smaller size. */
export function largerBucketSql(
  size: 'quarter' | 'day' | 'month',
  from: 'quarter' | 'day' | 'month',
  bucket: string,
): string {
  if (size === from) return bucket;
  const day = from === 'quarter' ? `floor_div(${bucket}, ${DAY_MS / QUARTER_MS})` : bucket;
  return size === 'day' ? day : `month_of_day(${day})`;
}

/** What a delta's arrays hold, one row an entry. */
export const ENTRIES = `unnest(d.time_ms, d.subject, d.dims, d.figures, d.vals, d.row_ids)
  AS u (time_ms, subject, dims, figure, value, row_id)`;
