/**
 * Runs billing: one process at a time, customer by customer. What is done is noted as it goes, so a process that is
 * killed is followed by one that goes on where it was; each item is a transaction of its own, and doing one again
 * changes nothing.
 */
import type { Clock } from '../../../platform/clock.ts';
import { formatInstant } from '../../../platform/instant.ts';
import type { Logger } from '../../../platform/log.ts';
import type { InvoicesDeps } from '../deps.ts';
import { runRepository } from './repository.ts';
import { countItems, STAGE_WORK } from './stages.ts';
import { type BillingRun, STAGES, type Stage } from './types.ts';

export interface BillingRunner {
  /**
   * Notes a run to be done.
   * @param asOfMs the now of the run; default now, never later
   */
  request(options: {
    asOfMs?: number | undefined;
    isFull: boolean;
    startedBy: BillingRun['startedBy'];
  }): Promise<BillingRun>;
  /** Does all runs that are noted and not finished. @returns false when another process does them */
  work(): Promise<boolean>;
  /** Ends the work after the item that is being done; what is left is done the next time. */
  stop(): Promise<void>;
}

/** Longer than any item takes: whoever has not renewed it is dead. */
const LEASE_MS = 60_000;
/** Items between two notes of progress: one write in 25 costs little, and that many are looked at again after a kill. */
const ITEMS_PER_NOTE = 25;
/** Finished runs are kept for a month; every five minutes one makes nine thousand. */
const KEEP_MS = 31 * 86_400_000;

/** @param deps.clock real time */
export function createBillingRunner(deps: InvoicesDeps & { log: Logger }): BillingRunner {
  const { db, clock, newId, log } = deps;
  const holder = newId();
  let isStopping = false;
  let working: Promise<boolean> | undefined;
  const workAll = async (): Promise<boolean> => {
    if (!(await renew(deps, holder))) return false;
    try {
      for (;;) {
        const run = await runRepository(db).unfinished();
        if (run === undefined || isStopping) break;
        if (!(await workOff(deps, run, holder, () => isStopping))) return isStopping;
      }
      await runRepository(db).deleteFinishedBefore(clock.nowMs() - KEEP_MS);
      return true;
    } finally {
      await runRepository(db).release(holder);
    }
  };
  return {
    request: async ({ asOfMs, isFull, startedBy }) => {
      const nowMs = clock.nowMs();
      const run: BillingRun = {
        id: newId(),
        asOfMs: Math.min(asOfMs ?? nowMs, nowMs),
        isFull,
        startedBy,
        stage: STAGES[0],
        afterId: '',
        done: 0,
        stageDone: 0,
        stageTotal: 0,
        failed: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      await runRepository(db).insert(run);
      return run;
    },
    work: () => {
      working ??= workAll().finally(() => {
        working = undefined;
      });
      return working;
    },
    stop: async () => {
      isStopping = true;
      await working?.catch((error: unknown) => log.error({ err: error }, 'billing ended with an error'));
    },
  };
}

function renew(deps: { db: InvoicesDeps['db']; clock: Clock }, holder: string): Promise<boolean> {
  const nowMs = deps.clock.nowMs();
  return runRepository(deps.db).lease(holder, nowMs, nowMs + LEASE_MS);
}

/** @returns false when it was stopped or the lease was lost */
async function workOff(
  deps: InvoicesDeps & { log: Logger },
  started: BillingRun,
  holder: string,
  isStopping: () => boolean,
): Promise<boolean> {
  const atRun = { ...deps, clock: { nowMs: () => started.asOfMs } };
  let run = started;
  for (const stage of STAGES.slice(STAGES.indexOf(run.stage as Stage))) {
    if (run.stage !== stage || run.stageTotal === 0) {
      const afterId = run.stage === stage ? run.afterId : '';
      const stageTotal = await countItems(atRun, run, stage);
      run = await note(deps, { ...run, stage, afterId, stageDone: 0, stageTotal });
    }
    for (;;) {
      const ids = await STAGE_WORK[stage].next(atRun, run, run.afterId, ITEMS_PER_NOTE);
      if (ids.length === 0) break;
      for (const id of ids) {
        run = await workItem(atRun, deps, run, stage, id);
        if (isStopping()) {
          await note(deps, run);
          return false;
        }
      }
      run = await note(deps, run);
      if (!(await renew(deps, holder))) return false;
    }
  }
  await note(deps, { ...run, stage: 'finished', finishedAtMs: deps.clock.nowMs() });
  return true;
}

async function workItem(
  atRun: InvoicesDeps,
  { clock, log }: { clock: Clock; log: Logger },
  run: BillingRun,
  stage: Stage,
  id: string,
): Promise<BillingRun> {
  const done = { ...run, afterId: id, done: run.done + 1, stageDone: run.stageDone + 1 };
  try {
    await STAGE_WORK[stage].work(atRun, id);
    return done;
  } catch (error) {
    log.error({ err: error, stage, id }, 'billing of one item failed; it is tried again with the next run');
    const message = error instanceof Error ? error.message : String(error);
    const lastError = { stage, itemId: id, message, at: formatInstant(clock.nowMs()) };
    return { ...done, failed: run.failed + 1, lastError };
  }
}

async function note(deps: { db: InvoicesDeps['db']; clock: Clock }, run: BillingRun): Promise<BillingRun> {
  const noted = { ...run, updatedAtMs: deps.clock.nowMs() };
  await runRepository(deps.db).replace(noted);
  return noted;
}
