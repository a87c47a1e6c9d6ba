import type { Cell } from '../aggregations/cell.ts';
import { AGGREGATIONS, type Keeping } from '../aggregations/index.ts';
import { parseData } from '../event-data.ts';
import { bucketOf, bucketStartMs, LEVELS, type Level, levelByCode, levelsOf } from '../series/levels.ts';
import type { VerifyResult } from '../types.ts';
import { storableValue } from './contributions.ts';
import { numberArray, type PgClient } from './database.ts';
import { readEventRows } from './event-rows.ts';
import { cellsSql } from './fold.ts';
import { dirtyQuarters } from './read.ts';
import { DERIVED } from './rebuild.ts';
import { readRows } from './rollup-rows.ts';
import { keepingOf, type Series, toSeries } from './series.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

const MAX_DIFFERENCES = 100;
/** Quarters of an hour whose cells are in memory at a time. */
const QUARTERS_AT_A_TIME = 96;

type Result = { series: number; cells: number; waiting: number; differences: string[] };

/**
 * Computes every series anew from the events and compares: the smallest level by the events, the others by the smaller
 * ones. To be called in a transaction of one moment.
 */
export async function verifyRollups(client: PgClient, tuples: Tuples): Promise<VerifyResult> {
  const { rows } = await client.query<{ series: number; spec: string; complete_from_ms: number | null }>(
    `SELECT series, spec, complete_from_ms FROM rollup_series, store
     WHERE NOT dropped AND back_filled_row >= last_row ORDER BY series`,
  );
  const result: Result = { series: rows.length, cells: 0, waiting: 0, differences: [] };
  for (const row of rows) {
    const series = toSeries(row);
    const dirty = await dirtyQuarters(client, row.series);
    result.waiting += dirty.length;
    await compareWithEvents(client, tuples, series, { dirty, fromMs: row.complete_from_ms ?? undefined }, result);
    await compareLevels(client, series, dirty, result);
  }
  return result;
}

async function compareWithEvents(
  client: PgClient,
  tuples: Tuples,
  series: Series,
  { dirty, fromMs }: { dirty: readonly number[]; fromMs: number | undefined },
  result: Result,
): Promise<void> {
  const skipped = new Set(dirty);
  const first = fromMs === undefined ? undefined : bucketOf('quarter', fromMs);
  for (const quarter of await quartersOf(client, series)) {
    if (first !== undefined && quarter < first) continue;
    const kept = await keptCells(client, tuples, series, quarter);
    const recomputed = await recomputedCells(client, series, quarter, kept.open);
    for (let at = quarter; at < quarter + QUARTERS_AT_A_TIME; at++) {
      if (!skipped.has(at) && (first === undefined || at >= first)) {
        compareCells(kept.cells.get(at), recomputed.get(at), `series ${series.series}, quarter ${at}`, result);
      }
    }
  }
}

/** The first quarters of the stretches that have events or figures. */
async function quartersOf(client: PgClient, { series, spec }: Series): Promise<number[]> {
  const length = QUARTERS_AT_A_TIME * 900_000;
  const { rows } = await client.query<{ stretch: number }>(
    `SELECT DISTINCT stretch FROM (
       SELECT floor_div(time_ms, ${length}) AS stretch FROM events JOIN names ON name_id = type WHERE text = $2
       UNION ALL SELECT floor_div(bucket, ${QUARTERS_AT_A_TIME}) FROM rollups WHERE series = $1 AND level = 1
       UNION ALL SELECT floor_div(u, ${length}) FROM rollup_deltas, unnest(time_ms) AS u WHERE series = $1) AS s
     ORDER BY stretch`,
    [series, spec.eventType],
  );
  return rows.map(({ stretch }) => stretch * QUARTERS_AT_A_TIME);
}

/** By quarter and key. */
type Cells = Map<number, Map<string, Cell>>;

async function keptCells(
  client: PgClient,
  tuples: Tuples,
  series: Series,
  quarter: number,
): Promise<{ cells: Cells; open: ReadonlyMap<number, ReadonlySet<number>> }> {
  const { merge } = AGGREGATIONS[series.spec.aggregation];
  const [level] = LEVELS as [Level, ...Level[]];
  const read: { bucket: number; subject: number; texts: readonly (string | null)[]; value: string; cell: Cell }[] = [];
  const open = new Map<number, Set<number>>();
  for await (const part of readRows(
    client,
    series,
    { level, first: quarter, end: quarter + QUARTERS_AT_A_TIME },
    undefined,
  )) {
    const texts = await tuples.textsOf(
      client,
      part.map(({ dims }) => dims),
    );
    for (const { bucket, subject, dims, value, cell } of part) {
      const own = texts.get(dims) ?? [];
      for (const [index, text] of own.entries()) {
        if (text === null) open.set(bucket, (open.get(bucket) ?? new Set()).add(index));
      }
      read.push({ bucket, subject, texts: own, value, cell });
      await giveWay();
    }
  }
  const cells: Cells = new Map();
  for (const { bucket, subject, texts, value, cell } of read) {
    // Where values of a dimension are not kept apart, those that are depend on the order of storing.
    const key = JSON.stringify([subject, blank(texts, open.get(bucket)), value]);
    addCell(cells, bucket, key, cell, merge);
  }
  return { cells, open };
}

function blank(texts: readonly (string | null)[], open: ReadonlySet<number> | undefined): readonly (string | null)[] {
  return open === undefined ? texts : texts.map((text, index) => (open.has(index) ? null : text));
}

function addCell(cells: Cells, bucket: number, key: string, cell: Cell, merge: (into: Cell, from: Cell) => void): void {
  const own = cells.get(bucket) ?? new Map<string, Cell>();
  cells.set(bucket, own);
  const there = own.get(key);
  if (there === undefined) own.set(key, { ...cell });
  else merge(there, cell);
}

async function recomputedCells(
  client: PgClient,
  { spec, reading }: Series,
  quarter: number,
  open: ReadonlyMap<number, ReadonlySet<number>>,
): Promise<Cells> {
  const { merge } = AGGREGATIONS[spec.aggregation];
  const cells: Cells = new Map();
  const range = {
    eventType: spec.eventType,
    fromMs: bucketStartMs('quarter', quarter),
    toMs: bucketStartMs('quarter', quarter + QUARTERS_AT_A_TIME),
  };
  for await (const part of readEventRows(client, range)) {
    for (const [rowId, subject, timeMs, text] of part) {
      const data = parseData(text);
      const figure = reading.figure(data);
      const bucket = bucketOf('quarter', timeMs);
      const texts = blank(
        reading.dimensions.map((read) => read(data)),
        open.get(bucket),
      );
      const m = figure === null ? 0 : 1;
      const cell = { n: 1, m, figure, atMs: timeMs, rowId, firstMs: timeMs, lastMs: timeMs };
      addCell(cells, bucket, JSON.stringify([subject, texts, storableValue(reading.value(data))]), cell, merge);
      await giveWay();
    }
  }
  return cells;
}

function compareCells(
  kept: ReadonlyMap<string, Cell> = new Map(),
  recomputed: ReadonlyMap<string, Cell> = new Map(),
  where: string,
  result: Result,
): void {
  for (const key of new Set([...kept.keys(), ...recomputed.keys()])) {
    result.cells++;
    const [a, b] = [cellText(kept.get(key)), cellText(recomputed.get(key))];
    if (a !== b) tell(result, `${where}, ${key}: kept ${a}, by the events ${b}`);
  }
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return 'nothing';
  const { n, m, figure, firstMs, lastMs } = cell;
  return JSON.stringify({ n, m, figure, firstMs, lastMs });
}

function tell(result: Result, difference: string): void {
  if (result.differences.length < MAX_DIFFERENCES) result.differences.push(difference);
}

/** Each level by the one that it can be added up from, in the database. */
async function compareLevels(
  client: PgClient,
  { series, spec }: Series,
  dirty: readonly number[],
  result: Result,
): Promise<void> {
  const levels = new Set(levelsOf(spec.dimensions.length > 0));
  for (const { code, from } of DERIVED) {
    const level = levelByCode(code);
    if (!levels.has(level)) continue;
    const source = from.map(levelByCode).find((candidate) => levels.has(candidate)) as Level;
    const skipped = dirty.map((quarter) => bucketOf(level.size, bucketStartMs('quarter', quarter)));
    const { rows } = await client.query<{ cells: number; difference: string | null }>(
      differencesSql(keepingOf(spec), source, level),
      [series, numberArray([...new Set(skipped)])],
    );
    result.cells += rows[0]?.cells ?? 0;
    for (const { difference } of rows) {
      if (difference !== null) tell(result, `series ${series}, level ${code}: ${difference}`);
    }
  }
}

/** The number of keys in the first row, and the first keys that differ. */
function differencesSql(keeping: Keeping, source: Level, level: Level): string {
  const cell = 'bucket, subject, dims, value, n, m, figure, at_ms, row_id, first_ms, last_ms';
  return `WITH made (${cell}) AS (SELECT ${cellsSql(keeping, source, level)} FROM rollups
      WHERE series = $1 AND level = ${source.code} GROUP BY 1, 2, 3, 4),
    kept AS (SELECT ${cell} FROM rollups WHERE series = $1 AND level = ${level.code}),
    both_ways AS (
      SELECT 'kept' AS side, k.* FROM (SELECT * FROM kept EXCEPT SELECT * FROM made) AS k
      UNION ALL SELECT 'made', m.* FROM (SELECT * FROM made EXCEPT SELECT * FROM kept) AS m)
    SELECT (SELECT count(*) FROM kept) AS cells, d.difference FROM (SELECT 1) AS one
    LEFT JOIN (SELECT row_to_json(both_ways)::text AS difference FROM both_ways
      WHERE bucket <> ALL($2::bigint[]) LIMIT ${MAX_DIFFERENCES}) AS d ON true`;
}
