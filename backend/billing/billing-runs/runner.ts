/**
 * Runs billing: one process at a time, customers in the order of their ids. What is done is noted as it goes, so a
 * process that is killed is followed by one that goes on where it was. Each step of an item is done as a whole or not
 * at all, and doing one again changes nothing.
 */
import { BILLING_RUNS } from '../../platform/db/locks.ts';
import { sideBySide } from '../../platform/db/side-by-side.ts';
import { RequestProblem } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import { atTime, type Scope } from '../../platform/scope.ts';
import type { BillingRunsDeps } from './deps.ts';
import { runRepository } from './repository.ts';
import { countItems, STAGE_WORK } from './stages.ts';
import { type BillingRun, STAGES, type Stage } from './types.ts';

export interface BillingRunner {
  /**
   * Notes a run to be done.
   * @param asOfMs the now of the run; default now, never later
   * @throws RequestProblem 503 while the time is in doubt
   */
  request(options: {
    asOfMs?: number | undefined;
    isFull: boolean;
    startedBy: BillingRun['startedBy'];
  }): Promise<BillingRun>;
  /** Does all runs that are noted and not finished. @returns false when another process does them */
  work(): Promise<boolean>;
  /** Ends the work after the items that are being done; what is left is done the next time. */
  stop(): Promise<void>;
}

/** Longer than any item takes: whoever has not renewed it is dead. */
const LEASE_MS = 60_000;
/**
 * Items that are worked on side by side, and noted together. Each round of their transactions is one sync of the disk,
 * and a request waits for one round at most: more items at a time would hold it up longer and save little.
 */
const ITEMS_PER_NOTE = 25;
/** Finished runs are kept for a month; every five minutes one makes nine thousand. */
const KEEP_MS = 31 * 86_400_000;

/** @param scope of real time */
export function createBillingRunner(deps: BillingRunsDeps, scope: Scope): BillingRunner {
  const { log } = scope;
  const holder = scope.newId();
  let isStopping = false;
  let working: Promise<boolean> | undefined;
  let isAskedFor = false;
  const workAll = async (): Promise<boolean> => {
    if (!(await begin(deps, scope, holder))) return false;
    try {
      for (;;) {
        const run = await runRepository(scope).unfinished();
        if (run === undefined || isStopping) break;
        if (!(await workOff(deps, scope, run, holder, () => isStopping || deps.heldBack() !== undefined)))
          return isStopping;
      }
      await runRepository(scope).deleteFinishedBefore(scope.clock.nowMs() - KEEP_MS);
      return true;
    } finally {
      await runRepository(scope).release(holder);
    }
  };
  /** The work may have looked for runs for the last time when it is asked for another one: then it looks again. */
  const workWhileAsked = async (): Promise<boolean> => {
    try {
      let isDone = true;
      while (isAskedFor) {
        isAskedFor = false;
        isDone = await workAll();
      }
      return isDone;
    } finally {
      // In the turn that has found nothing asked for: nobody can ask between the two.
      working = undefined;
    }
  };
  return {
    request: async ({ asOfMs, isFull, startedBy }) => {
      const reason = deps.heldBack();
      if (reason !== undefined) throw new RequestProblem('unavailable', reason);
      const nowMs = scope.clock.nowMs();
      const run: BillingRun = {
        id: scope.newId(),
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
      await runRepository(scope).insert(run);
      return run;
    },
    work: () => {
      isAskedFor = true;
      working ??= workWhileAsked();
      return working;
    },
    stop: async () => {
      isStopping = true;
      await working?.catch((error: unknown) => log.error({ err: error }, 'billing ended with an error'));
    },
  };
}

/**
 * Where several backends share the database, the one that leads does the runs: it takes the lease of whoever led before, who is
 * gone or finds out with the next items that it has lost it. Else the lease tells who is at work, and is waited for.
 */
async function begin({ leadership }: BillingRunsDeps, scope: Scope, holder: string): Promise<boolean> {
  if (!leadership.leads()) return false;
  if (leadership.hasOthers) await runRepository(scope).endLease();
  return renew(scope, holder);
}

function renew(scope: Scope, holder: string): Promise<boolean> {
  const nowMs = scope.clock.nowMs();
  return runRepository(scope).lease(holder, nowMs, nowMs + LEASE_MS);
}

/** @returns false when it was stopped or the lease was lost */
async function workOff(
  deps: BillingRunsDeps,
  scope: Scope,
  started: BillingRun,
  holder: string,
  isStopping: () => boolean,
): Promise<boolean> {
  const atRun = atTime(scope, { nowMs: () => started.asOfMs });
  let run = started;
  for (const stage of STAGES.slice(STAGES.indexOf(run.stage as Stage))) {
    if (run.stage !== stage || run.stageTotal === 0) {
      const afterId = run.stage === stage ? run.afterId : '';
      const stageTotal = await countItems(deps, atRun, run, stage);
      run = await note(scope, { ...run, stage, afterId, stageDone: 0, stageTotal });
    }
    for (;;) {
      const ids = await STAGE_WORK[stage].next(deps, atRun, run, run.afterId, ITEMS_PER_NOTE);
      if (ids.length === 0) break;
      const done = await workItems(deps, atRun, { run, stage, ids });
      const isOurs = await scope.transaction(
        async (scope) => {
          run = await note(scope, done);
          return renew(scope, holder);
        },
        [BILLING_RUNS],
      );
      if (!isOurs || isStopping()) return false;
    }
  }
  await note(scope, { ...run, stage: 'finished', finishedAtMs: scope.clock.nowMs() });
  return true;
}

/** Items side by side: what they store is committed together, what fails is that item's alone. */
async function workItems(
  deps: BillingRunsDeps,
  atRun: Scope,
  { run, stage, ids }: { run: BillingRun; stage: Stage; ids: readonly string[] },
): Promise<BillingRun> {
  const works = ids.map((id) => (scope: Scope) => STAGE_WORK[stage].work(deps, scope, id));
  const outcomes = await sideBySide(atRun, works);
  const count = ids.length;
  const done = { ...run, afterId: ids.at(-1) ?? '', done: run.done + count, stageDone: run.stageDone + count };
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') continue;
    const { reason: error }: { reason: unknown } = outcome;
    const id = ids[index] ?? '';
    atRun.log.error({ err: error, stage, id }, 'billing of one item failed; it is tried again with the next run');
    const message = error instanceof Error ? error.message : String(error);
    done.failed += 1;
    done.lastError = { stage, itemId: id, message, at: formatInstant(atRun.clock.nowMs()) };
  }
  return done;
}

async function note(scope: Scope, run: BillingRun): Promise<BillingRun> {
  const noted = { ...run, updatedAtMs: scope.clock.nowMs() };
  await runRepository(scope).replace(noted);
  return noted;
}
