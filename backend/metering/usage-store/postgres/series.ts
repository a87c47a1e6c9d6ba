import { AGGREGATIONS } from '../aggregations/index.ts';
import { type EventReading, eventReading } from '../series/event-reading.ts';
import { canonicalSpec, type SeriesSpec } from '../series/series-spec.ts';
import type { MeterSpec, SeriesProgress } from '../types.ts';
import { type Database, LOCK_SPACE, LOCKS, type PgClient, underLock } from './database.ts';
import type { Names } from './names.ts';
import { firstRowOf } from './row-numbers.ts';

/** A series as whoever adds to it needs it. */
export interface Series {
  series: number;
  spec: SeriesSpec;
  reading: EventReading;
}

/** The series of one version, by the type of their events. */
export interface SeriesSet {
  version: number;
  all: readonly Series[];
  byType: ReadonlyMap<string, readonly Series[]>;
}

interface SeriesRow {
  series: number;
  spec: string;
}

/** To be called in a transaction or under a lock that keeps the series as they are, or to be held against the version. */
export async function readSeries(client: PgClient): Promise<SeriesSet> {
  const { rows } = await client.query<{ version: number; series: number | null; spec: string }>(
    `SELECT series_version AS version, series, spec FROM store
     LEFT JOIN rollup_series ON NOT dropped ORDER BY series`,
  );
  const all = rows.flatMap((row) => (row.series === null ? [] : [toSeries(row as SeriesRow)]));
  return { version: rows[0]?.version ?? 0, all, byType: Map.groupBy(all, ({ spec }) => spec.eventType) };
}

export function toSeries({ series, spec: text }: SeriesRow): Series {
  const spec = JSON.parse(text) as SeriesSpec;
  return { series, spec, reading: eventReading(spec) };
}

export const keepingOf = ({ aggregation }: SeriesSpec) => AGGREGATIONS[aggregation].keeping;

/**
 * Makes the series those that the meters need. Nobody stores events meanwhile, so that each event is either among those that
 * a new series has to count back or is counted by it as it comes.
 * @returns whether anything has changed
 */
export async function syncSeries(db: Database, names: Names, meters: readonly MeterSpec[]): Promise<boolean> {
  const wanted = new Map(meters.map((meter) => [canonicalSpec(meter), meter]));
  const types = await names.idsOf(meters.map(({ eventType }) => eventType));
  const change = async (client: PgClient, isTried: boolean): Promise<boolean> => {
    const { rows } = await client.query<SeriesRow>('SELECT series, spec FROM rollup_series WHERE NOT dropped');
    const there = new Set(rows.map(({ spec }) => spec));
    const dropped = rows.filter(({ spec }) => !wanted.has(spec)).map(({ series }) => series);
    const added = [...wanted].filter(([spec]) => !there.has(spec));
    if (dropped.length === 0 && added.length === 0) return false;
    if (isTried) return true;
    await client.query('UPDATE rollup_series SET dropped = true WHERE series = ANY($1::bigint[])', [dropped]);
    for (const [spec, meter] of added) {
      await client.query(
        `INSERT INTO rollup_series (spec, event_type, back_filled_row, last_row, total)
         SELECT $1, $2, coalesce((SELECT min(row_id) FROM events), $3::bigint + 1) - 1, $3,
           stored + (SELECT coalesce(sum(batches.stored), 0) FROM batches)
         FROM store`,
        [spec, types.get(meter.eventType), await lastRow(client)],
      );
    }
    await client.query('UPDATE store SET series_version = series_version + 1');
    return true;
  };
  // Mostly nothing changes: then nobody has to wait.
  if (!(await db.withClient((client) => change(client, true)))) return false;
  return underLock(db, LOCKS.upkeep, 'READ COMMITTED', async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, LOCKS.series]);
    return change(client, false);
  });
}

/** The last row that anybody can have stored, when nobody stores. */
async function lastRow(client: PgClient): Promise<number> {
  const { rows } = await client.query<{ last: number }>('SELECT last_value AS last FROM batch_numbers');
  return firstRowOf((rows[0]?.last ?? 0) + 1) - 1;
}

/** How far the back-fill of a meter is; undefined when the store keeps no figures for it. */
export async function seriesProgress(client: PgClient, meter: MeterSpec): Promise<SeriesProgress | undefined> {
  const { rows } = await client.query<{
    is_finished: boolean;
    looked_at: number;
    total: number;
    wide: number[];
    spec: string;
  }>(
    `SELECT back_filled_row >= last_row AS is_finished, looked_at, total, spec,
       ARRAY(SELECT dimension FROM rollup_wide AS w WHERE w.series = s.series) AS wide FROM rollup_series AS s
     WHERE spec = $1 AND NOT dropped`,
    [canonicalSpec(meter)],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const { dimensions } = JSON.parse(row.spec) as SeriesSpec;
  return {
    isFinished: row.is_finished,
    lookedAt: row.is_finished ? row.total : row.looked_at,
    total: row.total,
    wideDimensions: row.wide.flatMap((index) => dimensions[index]?.[0] ?? []).sort(),
  };
}
