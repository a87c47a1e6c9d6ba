import { isPassing } from '../../../platform/postgres/failures.ts';
import type { Keeping } from '../aggregations/index.ts';
import { type Level, levelsOf } from '../series/levels.ts';
import { type Database, LOCKS, numberArray, type PgClient, underLock } from './database.ts';
import { createFailures } from './failures.ts';
import { bucketSql, ENTRIES, foldedFigure, largerBucketSql, mergedFigure } from './figure-sql.ts';
import { keepingOf, type Series, toSeries } from './series.ts';

/** Deltas of a step: few enough that a step takes well under a second. */
const MAX_DELTAS = 500;

/** A cell's columns after its key. */
const CELL = 'n, m, figure, at_ms, row_id, first_ms, last_ms';

/**
 * Adds waiting deltas to the roll-ups, some in each transaction: whoever reads sees them either here or there. After a failure
 * they are tried one by one, and one that fails is passed over for a while.
 * @param maxEvents of one step, but for the first delta
 * @returns a step, which tells whether there was anything to fold
 */
export function openFold(db: Database, maxEvents: number, nowMs: () => number): () => Promise<boolean> {
  const failures = createFailures(nowMs);
  return async () => {
    const isCareful = failures.any();
    let chosen: number[] = [];
    try {
      return await underLock(db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
        const { rows } = await client.query<{ series: number; spec: string; delta_id: number; events: number }>(
          `SELECT series, spec, delta_id, events FROM rollup_series JOIN rollup_deltas USING (series)
           WHERE series = (SELECT series FROM rollup_deltas JOIN rollup_series USING (series)
             WHERE NOT dropped AND delta_id <> ALL($1::bigint[]) ORDER BY delta_id LIMIT 1)
           AND delta_id <> ALL($1::bigint[]) ORDER BY delta_id LIMIT $2`,
          [failures.keys(), isCareful ? 1 : MAX_DELTAS],
        );
        const [next] = rows;
        if (next === undefined) return false;
        chosen = firstOf(rows, maxEvents);
        await foldDeltas(client, toSeries(next), chosen);
        return true;
      });
    } catch (error) {
      if (!isPassing(error) && chosen[0] !== undefined) failures.add(String(chosen[0]));
      throw error;
    }
  };
}

function firstOf(deltas: readonly { delta_id: number; events: number }[], maxEvents: number): number[] {
  const chosen: number[] = [];
  let events = 0;
  for (const delta of deltas) {
    events += delta.events;
    if (chosen.length > 0 && events > maxEvents) break;
    chosen.push(delta.delta_id);
  }
  return chosen;
}

/** To be called in a transaction of whoever does upkeep. */
export async function foldDeltas(client: PgClient, series: Series, deltas: readonly number[]): Promise<void> {
  if (deltas.length === 0) return;
  const keeping = keepingOf(series.spec);
  const levels = levelsOf(series.spec.dimensions.length > 0);
  const [smallest, ...others] = levels as [Level, ...Level[]];
  const parts = others.map((level, index) => `l${index} AS (${addSql(keeping, smallest, level)})`);
  await client.query(
    `WITH taken AS (DELETE FROM rollup_deltas WHERE delta_id = ANY($2::bigint[]) RETURNING *),
     base AS MATERIALIZED (
       SELECT ${bucketSql(smallest.size, 'u.time_ms')} AS bucket, u.subject, u.dims, coalesce(u.value, '') COLLATE "C" AS value,
         count(*), count(u.figure), ${foldedFigure(keeping, { figure: 'u.figure', atMs: 'u.time_ms', rowId: 'u.row_id' })},
         min(u.time_ms), max(u.time_ms)
       FROM taken AS d, ${ENTRIES} GROUP BY 1, 2, 3, 4),
     cells (bucket, subject, dims, value, ${CELL}) AS (SELECT * FROM base),
     ${parts.map((part) => `${part},`).join('\n')}
     l AS (${addSql(keeping, smallest, smallest)})
     SELECT 1`,
    [series.series, numberArray(deltas)],
  );
}

/** Adds what the cells of the smallest level come to on another one. */
function addSql(keeping: Keeping, from: Level, to: Level): string {
  return `INSERT INTO rollups AS r (series, level, bucket, subject, dims, value, ${CELL})
    SELECT $1::bigint, ${to.code}, ${cellsSql(keeping, from, to)} FROM cells GROUP BY 3, 4, 5, 6
    ON CONFLICT (series, level, bucket, subject, dims, value) DO UPDATE SET
      n = r.n + excluded.n, m = r.m + excluded.m, ${mergedFigure(keeping)},
      first_ms = least(r.first_ms, excluded.first_ms), last_ms = greatest(r.last_ms, excluded.last_ms)`;
}

/** The columns of a level's rows from those of a level that tells apart more. */
export function cellsSql(keeping: Keeping, from: Level, to: Level): string {
  return `${largerBucketSql(to.size, from.size, 'bucket')}, ${to.bySubject ? 'subject' : '0::bigint'},
    ${to.byDims ? 'dims' : '0::bigint'}, value, sum(n)::bigint, sum(m)::bigint,
    ${foldedFigure(keeping, { figure: 'figure', atMs: 'at_ms', rowId: 'row_id' })}, min(first_ms), max(last_ms)`;
}

const MAX_BATCHES = 1000;

/**
 * Adds what some transactions say of themselves to the sums, once they are settled: a moment names those that it has seen
 * beyond the settled ones.
 * @returns how many were folded
 */
export async function foldBatches(db: Database): Promise<number> {
  return underLock(db, LOCKS.upkeep, 'REPEATABLE READ', async (client) => {
    const { rows } = await client.query<{ batch: number }>(
      `SELECT batch FROM batches WHERE batch <= (SELECT settled_batch FROM store) ORDER BY batch LIMIT ${MAX_BATCHES}`,
    );
    if (rows.length === 0) return 0;
    await client.query(
      `WITH taken AS (DELETE FROM batches WHERE batch = ANY($1::bigint[]) RETURNING *),
       days AS (
         INSERT INTO subject_days AS s
           SELECT u.day, u.subject, u.type, sum(u.count), sum(u.voided), max(u.last_ms)
           FROM taken, unnest(days, subjects, types, counts, voided, last_ms) AS u (day, subject, type, count, voided, last_ms)
           GROUP BY 1, 2, 3
         ON CONFLICT (day, subject, type) DO UPDATE SET events = s.events + excluded.events,
           voided = s.voided + excluded.voided, last_ms = greatest(s.last_ms, excluded.last_ms)),
       again AS (
         INSERT INTO duplicates AS s
           SELECT u.row_id, count(*), sum(u.differing), max(stored_at_ms)
           FROM taken, unnest(again_rows, again_differing) AS u (row_id, differing) GROUP BY 1
         ON CONFLICT (row_id) DO UPDATE SET times = s.times + excluded.times,
           differing = s.differing + excluded.differing, last_ms = greatest(s.last_ms, excluded.last_ms))
       UPDATE store SET stored = store.stored + sums.stored, duplicates = store.duplicates + sums.duplicates
       FROM (SELECT coalesce(sum(taken.stored), 0) AS stored, coalesce(sum(taken.duplicates), 0) AS duplicates
             FROM taken) AS sums`,
      [numberArray(rows.map(({ batch }) => batch))],
    );
    return rows.length;
  });
}

/** Says how far all transactions have ended. In two steps: what had a number before is asked for after. */
export function openSettling(db: Database): () => Promise<void> {
  let pending: { batch: number; xid: string } | undefined;
  return () =>
    underLock(db, LOCKS.upkeep, 'READ COMMITTED', async (client) => {
      if (pending !== undefined) {
        const { rows } = await client.query<{ ended: boolean }>(
          'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS ended',
          [pending.xid],
        );
        if (rows[0]?.ended !== true) return;
        await client.query('UPDATE store SET settled_batch = $1 WHERE settled_batch < $1', [pending.batch]);
        pending = undefined;
      }
      const numbered = await client.query<{ batch: number }>(
        'SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS batch FROM batch_numbers',
      );
      const after = await client.query<{ xid: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid');
      pending = { batch: numbered.rows[0]?.batch ?? 0, xid: after.rows[0]?.xid ?? '0' };
    });
}
