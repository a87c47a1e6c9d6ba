import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { BillingRun, RunError } from './types.ts';

interface RunRow {
  id: string;
  as_of: string;
  is_full: number;
  started_by: BillingRun['startedBy'];
  stage: BillingRun['stage'];
  after_id: string;
  done: number;
  stage_done: number;
  stage_total: number;
  failed: number;
  last_error: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
}

const LEASE = 'billing';

/** Billing runs and the lease of whoever runs them. A handle lives as long as its transaction. */
export function runRepository(db: DbHandle) {
  const tables = withTables<{
    billing_runs: RunRow;
    billing_lease: { name: string; holder: string; lease_until: string };
  }>(db);
  const all = tables.selectFrom('billing_runs').selectAll();
  return {
    insert: async (run: BillingRun): Promise<void> => {
      await tables.insertInto('billing_runs').values(toRow(run)).execute();
    },
    replace: async (run: BillingRun): Promise<void> => {
      const { id, ...columns } = toRow(run);
      await tables.updateTable('billing_runs').set(columns).where('id', '=', id).execute();
    },
    byId: async (id: string): Promise<BillingRun | undefined> => {
      const row = await all.where('id', '=', id).executeTakeFirst();
      return row && toRun(row);
    },
    /** The one to go on with: the oldest that is not finished. */
    unfinished: async (): Promise<BillingRun | undefined> => {
      const row = await all.where('finished_at', 'is', null).orderBy('created_at').orderBy('id').executeTakeFirst();
      return row && toRun(row);
    },
    /** The newest first. */
    page: async (page: PageRequest): Promise<{ runs: BillingRun[]; total: number }> => {
      const { total } = await tables
        .selectFrom('billing_runs')
        .select((eb) => eb.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      const rows = await all
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { runs: rows.map(toRun), total: Number(total) };
    },
    /** When charges of all subscribers were last begun to be worked out. */
    lastFullAtMs: async (): Promise<number | undefined> => {
      const row = await all.where('is_full', '=', 1).orderBy('created_at', 'desc').executeTakeFirst();
      return row && Date.parse(row.created_at);
    },
    /** The one that ended last. */
    lastFinished: async (): Promise<BillingRun | undefined> => {
      const row = await all.where('finished_at', 'is not', null).orderBy('finished_at', 'desc').executeTakeFirst();
      return row && toRun(row);
    },
    deleteFinishedBefore: async (atMs: number): Promise<void> => {
      await tables.deleteFrom('billing_runs').where('finished_at', '<', toStoredInstant(atMs)).execute();
    },
    /** Takes or renews the lease. False when somebody else holds it. */
    lease: async (holder: string, nowMs: number, untilMs: number): Promise<boolean> => {
      const lease_until = toStoredInstant(untilMs);
      const result = await tables
        .insertInto('billing_lease')
        .values({ name: LEASE, holder, lease_until })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ holder, lease_until })
            .where((eb) =>
              eb.or([
                eb('billing_lease.holder', '=', holder),
                eb('billing_lease.lease_until', '<=', toStoredInstant(nowMs)),
              ]),
            ),
        )
        .executeTakeFirstOrThrow();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    /** Whoever holds it. */
    endLease: async (): Promise<void> => {
      await tables.deleteFrom('billing_lease').where('name', '=', LEASE).execute();
    },
    release: async (holder: string): Promise<void> => {
      await tables.deleteFrom('billing_lease').where('name', '=', LEASE).where('holder', '=', holder).execute();
    },
  };
}

function toRow(run: BillingRun): RunRow {
  return {
    id: run.id,
    as_of: toStoredInstant(run.asOfMs),
    is_full: run.isFull ? 1 : 0,
    started_by: run.startedBy,
    stage: run.stage,
    after_id: run.afterId,
    done: run.done,
    stage_done: run.stageDone,
    stage_total: run.stageTotal,
    failed: run.failed,
    last_error: run.lastError === undefined ? null : JSON.stringify(run.lastError),
    created_at: toStoredInstant(run.createdAtMs),
    updated_at: toStoredInstant(run.updatedAtMs),
    finished_at: run.finishedAtMs === undefined ? null : toStoredInstant(run.finishedAtMs),
  };
}

function toRun(row: RunRow): BillingRun {
  return {
    id: row.id,
    asOfMs: Date.parse(row.as_of),
    isFull: row.is_full === 1,
    startedBy: row.started_by,
    stage: row.stage,
    afterId: row.after_id,
    done: row.done,
    stageDone: row.stage_done,
    stageTotal: row.stage_total,
    failed: row.failed,
    ...(row.last_error !== null && { lastError: JSON.parse(row.last_error) as RunError }),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
    ...(row.finished_at !== null && { finishedAtMs: Date.parse(row.finished_at) }),
  };
}
