import type { Sqlite } from '../../../platform/db/sqlite.ts';
import type { Aggregation } from '../../types.ts';
import type { Cell } from './cell.ts';
import { type Figure, figureFold, figureParameter } from './figure.ts';
import type { FoldRow } from './fold-tasks.ts';

/** Adds a row to the rollups: to what is there under its key, or as a new one. */
export type AddRow = (row: FoldRow) => void;

const LARGEST_SAFE = Number.MAX_SAFE_INTEGER;

const BOUNDS = `first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)`;

/** Prepares the adding for each aggregation; integers are added in SQL, all else by exact decimals. */
export function prepareAddRow(db: Sqlite): (aggregation: Aggregation) => AddRow {
  for (const aggregation of ['sum', 'min', 'max'] as const) {
    const fold = figureFold(aggregation);
    db.function(`${aggregation}_figures`, { deterministic: true }, (a: unknown, b: unknown) =>
      figureParameter(fold(a as Figure, b as Figure)),
    );
  }
  const counting = db.prepare(
    `INSERT INTO rollups (series, level, bucket, subject, dims, value, n, m, first_ms, last_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n, ${BOUNDS}`,
  );
  const count: AddRow = ({ key, cell }) => {
    counting.run(key[0], key[1], key[2], key[3], key[4], key[5], cell.n, cell.firstMs, cell.lastMs);
  };
  const folding = {
    sum: prepareFolding(
      db,
      `CASE WHEN typeof(figure) = 'integer' AND typeof(excluded.figure) = 'integer'
              AND figure + excluded.figure BETWEEN -${LARGEST_SAFE} AND ${LARGEST_SAFE}
            THEN figure + excluded.figure ELSE sum_figures(figure, excluded.figure) END`,
    ),
    min: prepareFolding(db, 'min_figures(figure, excluded.figure)'),
    max: prepareFolding(db, 'max_figures(figure, excluded.figure)'),
  };
  const latest = prepareLatest(db);
  return (aggregation) => {
    if (aggregation === 'count' || aggregation === 'unique_count') return count;
    if (aggregation === 'latest') return latest;
    return aggregation === 'avg' ? folding.sum : folding[aggregation];
  };
}

/** Makes a row what it shall be; without a cell it goes. */
export function preparePutRow(db: Sqlite): (key: FoldRow['key'], cell: Cell | undefined) => void {
  const remove = db.prepare(
    'DELETE FROM rollups WHERE series = ? AND level = ? AND bucket = ? AND subject = ? AND dims = ? AND value = ?',
  );
  const put = db.prepare('INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return (key, cell) => {
    if (cell === undefined) {
      remove.run(...key);
      return;
    }
    // Only the latest value has a row; see the cells of contributions.
    const [atMs, rowId] = cell.figure !== null && cell.rowId !== 0 ? [cell.atMs, cell.rowId] : [null, null];
    put.run(...key, cell.n, cell.m, figureParameter(cell.figure), atMs, rowId, cell.firstMs, cell.lastMs);
  };
}

function prepareFolding(db: Sqlite, folded: string): AddRow {
  const statement = db.prepare(
    `INSERT INTO rollups (series, level, bucket, subject, dims, value, n, m, figure, first_ms, last_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n, m = m + excluded.m, ${BOUNDS},
       figure = CASE WHEN figure IS NULL THEN excluded.figure WHEN excluded.figure IS NULL THEN figure ELSE ${folded} END`,
  );
  return ({ key, cell }) => {
    const figure = figureParameter(cell.figure);
    statement.run(key[0], key[1], key[2], key[3], key[4], key[5], cell.n, cell.m, figure, cell.firstMs, cell.lastMs);
  };
}

/** Of equal times the value stored last; every expression sees the row as it was. */
function prepareLatest(db: Sqlite): AddRow {
  const isLater = `excluded.figure IS NOT NULL AND (figure IS NULL OR (excluded.at_ms, excluded.row_id) > (at_ms, rollups.row_id))`;
  const choose = (column: string) =>
    `${column} = CASE WHEN ${isLater} THEN excluded.${column} ELSE rollups.${column} END`;
  const statement = db.prepare(
    `INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET n = n + excluded.n, m = m + excluded.m, ${BOUNDS},
       ${choose('figure')}, ${choose('at_ms')}, ${choose('row_id')}`,
  );
  return ({ key, cell }) => {
    const hasValue = cell.figure !== null;
    const [atMs, rowId] = hasValue ? [cell.atMs, cell.rowId] : [null, null];
    const figure = figureParameter(cell.figure);
    statement.run(...key, cell.n, cell.m, figure, atMs, rowId, cell.firstMs, cell.lastMs);
  };
}
