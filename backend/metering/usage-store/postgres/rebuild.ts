import { isPassing } from '../../../platform/postgres/failures.ts';
import type { Cell } from '../aggregations/cell.ts';
import { AGGREGATIONS, type Keeping } from '../aggregations/index.ts';
import { parseData } from '../event-data.ts';
import { bucketOf, bucketStartMs, LEVELS, type Level, levelByCode, levelsOf } from '../series/levels.ts';
import { storableValue } from './contributions.ts';
import { type Database, LOCKS, numberArray, type PgClient, textArray, underLock } from './database.ts';
import { readEventRows } from './event-rows.ts';
import { createFailures } from './failures.ts';
import { cellsSql, foldDeltas } from './fold.ts';
import { keepingOf, type Series, toSeries } from './series.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

/** Each level that is computed from another, in an order in which the other comes first. */
export const DERIVED: readonly { code: number; from: readonly number[] }[] = [
  { code: 2, from: [1] },
  { code: 3, from: [1] },
  { code: 4, from: [3, 1] },
  { code: 5, from: [2] },
  { code: 6, from: [4] },
  { code: 7, from: [5] },
];

/** Quarters that are computed anew together: the days and months around them are then added up once. */
const QUARTERS_PER_STEP = 64;

export interface RebuildSteps {
  /** @returns whether there was anything to compute anew */
  step(): Promise<boolean>;
}

/**
 * Computes quarters of an hour of a series anew from the events, for the subjects that corrections have touched, and the
 * larger buckets around them from the smaller ones. All in one moment: what is stored meanwhile waits to be folded.
 * After a failure they are tried one by one, and one that fails is passed over for a while: it holds up no other.
 */
export function openRebuild(db: Database, tuples: Tuples, nowMs: () => number): RebuildSteps {
  const failures = createFailures(nowMs);
  return {
    async step() {
      const isCareful = failures.any();
      let current = '';
      try {
        return await underLock(db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
          const { rows } = await client.query<{ series: number; spec: string; quarters: number[] }>(
            `SELECT series, spec, quarters FROM (
               SELECT series, (array_agg(quarter ORDER BY quarter))[1:$2] AS quarters FROM (
                 SELECT DISTINCT series, quarter FROM rollup_dirty
                 WHERE series || ' ' || quarter <> ALL($1::text[])) AS q
               GROUP BY series) AS d JOIN rollup_series USING (series)
             WHERE NOT dropped AND back_filled_row >= last_row ORDER BY series LIMIT 1`,
            [failures.keys(), isCareful ? 1 : QUARTERS_PER_STEP],
          );
          const [next] = rows;
          if (next === undefined) return false;
          current = `${next.series} ${next.quarters[0]}`;
          await rebuildQuarters(client, tuples, toSeries(next), next.quarters);
          return true;
        });
      } catch (error) {
        if (current !== '' && !isPassing(error)) failures.add(current);
        throw error;
      }
    },
  };
}

async function rebuildQuarters(
  client: PgClient,
  tuples: Tuples,
  series: Series,
  quarters: readonly number[],
): Promise<void> {
  const marks = await client.query<{ mark: number; quarter: number; subject: number }>(
    'SELECT mark, quarter, subject FROM rollup_dirty WHERE series = $1 AND quarter = ANY($2::bigint[])',
    [series.series, numberArray(quarters)],
  );
  const [smallest] = LEVELS as [Level, ...Level[]];
  const keeping = keepingOf(series.spec);
  for (const [quarter, own] of Map.groupBy(marks.rows, (mark) => mark.quarter)) {
    const [fromMs, toMs] = [bucketStartMs('quarter', quarter), bucketStartMs('quarter', quarter + 1)];
    await foldOverlapping(client, series, fromMs, toMs);
    const subjects = [...new Set(own.map(({ subject }) => subject))];
    const { eventType } = series.spec;
    const cells = await cellsOf(series, tuples, readEventRows(client, { eventType, fromMs, toMs, subjects }));
    await removeRows(client, series.series, smallest, quarter, subjects);
    await insertCells(client, series.series, keeping, { level: smallest, bucket: quarter }, cells);
  }
  const subjects = [...new Set(marks.rows.map(({ subject }) => subject))];
  const levels = new Set(levelsOf(series.spec.dimensions.length > 0));
  for (const { code, from } of DERIVED) {
    const level = levelByCode(code);
    if (!levels.has(level)) continue;
    const source = from.map(levelByCode).find((candidate) => levels.has(candidate)) as Level;
    const buckets = new Set(quarters.map((quarter) => bucketOf(level.size, bucketStartMs('quarter', quarter))));
    for (const bucket of buckets) {
      await derive(client, series.series, keeping, { source, level, bucket }, subjects);
    }
  }
  await client.query('DELETE FROM rollup_dirty WHERE mark = ANY($1::bigint[])', [
    numberArray(marks.rows.map(({ mark }) => mark)),
  ]);
}

/** Rows and events then are of the same moment. */
async function foldOverlapping(client: PgClient, series: Series, fromMs: number, toMs: number): Promise<void> {
  const waiting = await client.query<{ delta_id: number }>(
    'SELECT delta_id FROM rollup_deltas WHERE series = $1 AND first_ms < $3 AND last_ms >= $2',
    [series.series, fromMs, toMs],
  );
  await foldDeltas(
    client,
    series,
    waiting.rows.map(({ delta_id }) => delta_id),
  );
}

interface KeyedCell {
  subject: number;
  dims: number;
  value: string;
  cell: Cell;
}

/** What the events of one bucket come to. */
async function cellsOf(
  { series, spec, reading }: Series,
  tuples: Tuples,
  parts: ReturnType<typeof readEventRows>,
): Promise<KeyedCell[]> {
  const { merge } = AGGREGATIONS[spec.aggregation];
  const cells = new Map<string, { subject: number; texts: readonly string[]; value: string; cell: Cell }>();
  for await (const part of parts) {
    for (const [rowId, subject, timeMs, text] of part) {
      const data = parseData(text);
      const figure = reading.figure(data);
      const texts = reading.dimensions.map((read) => read(data));
      const value = storableValue(reading.value(data));
      const m = figure === null ? 0 : 1;
      const cell = { n: 1, m, figure, atMs: timeMs, rowId, firstMs: timeMs, lastMs: timeMs };
      const key = JSON.stringify([subject, value, ...texts]);
      const there = cells.get(key);
      if (there === undefined) cells.set(key, { subject, texts, value, cell });
      else merge(there.cell, cell);
      await giveWay();
    }
  }
  const found = [...cells.values()];
  const ids = await tuples.idsOfStored(
    series,
    found.map(({ texts }) => texts),
  );
  // Values that are not kept apart have one number for all.
  const byKey = new Map<string, KeyedCell>();
  for (const [index, { subject, value, cell }] of found.entries()) {
    const dims = ids[index] as number;
    const key = JSON.stringify([subject, dims, value]);
    const there = byKey.get(key);
    if (there === undefined) byKey.set(key, { subject, dims, value, cell });
    else merge(there.cell, cell);
  }
  return [...byKey.values()];
}

async function removeRows(
  client: PgClient,
  series: number,
  level: Level,
  bucket: number,
  subjects: readonly number[],
): Promise<void> {
  await client.query(
    `DELETE FROM rollups WHERE series = $1 AND level = $2 AND bucket = $3 AND ($4::bigint[] IS NULL OR subject = ANY($4))`,
    [series, level.code, bucket, level.bySubject ? numberArray(subjects) : null],
  );
}

async function insertCells(
  client: PgClient,
  series: number,
  keeping: Keeping,
  { level, bucket }: { level: Level; bucket: number },
  cells: readonly KeyedCell[],
): Promise<void> {
  if (cells.length === 0) return;
  const isLatest = keeping === 'latest';
  const column = <T>(pick: (cell: KeyedCell) => T) => cells.map(pick);
  await client.query(
    `INSERT INTO rollups (series, level, bucket, subject, dims, value, n, m, figure, at_ms, row_id, first_ms, last_ms)
     SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::numeric[],
       $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])`,
    [
      series,
      level.code,
      bucket,
      numberArray(column(({ subject }) => subject)),
      numberArray(column(({ dims }) => dims)),
      textArray(column(({ value }) => value)),
      numberArray(column(({ cell }) => cell.n)),
      numberArray(column(({ cell }) => cell.m)),
      numberArray(column(({ cell }) => cell.figure)),
      numberArray(column(({ cell }) => (isLatest && cell.figure !== null ? cell.atMs : null))),
      numberArray(column(({ cell }) => (isLatest && cell.figure !== null ? cell.rowId : null))),
      numberArray(column(({ cell }) => cell.firstMs)),
      numberArray(column(({ cell }) => cell.lastMs)),
    ],
  );
}

/** A bucket of a level, from those of the level that it is added up from. */
async function derive(
  client: PgClient,
  series: number,
  keeping: Keeping,
  { source, level, bucket }: { source: Level; level: Level; bucket: number },
  subjects: readonly number[],
): Promise<void> {
  await removeRows(client, series, level, bucket, subjects);
  await client.query(
    `INSERT INTO rollups (series, level, bucket, subject, dims, value, n, m, figure, at_ms, row_id, first_ms, last_ms)
     SELECT $1::bigint, ${level.code}, ${cellsSql(keeping, source, level)} FROM rollups
     WHERE series = $1 AND level = ${source.code} AND bucket >= $2 AND bucket < $3
       AND ($4::bigint[] IS NULL OR subject = ANY($4))
     GROUP BY 3, 4, 5, 6`,
    [
      series,
      bucketOf(source.size, bucketStartMs(level.size, bucket)),
      bucketOf(source.size, bucketStartMs(level.size, bucket + 1)),
      level.bySubject ? numberArray(subjects) : null,
    ],
  );
}
