/**
 * Does what is to be done in the systems of apps: claims a task, does it, notes when it is due again. Of several processes one works on a
 * task; one that is killed is followed by another when its lease has ended.
 */
import type { Scope } from '../../platform/scope.ts';
import { AppUnauthorized, LeaseLost, TryLater } from './errors.ts';
import { createJournal, type Journal, type JournalDeps } from './journal.ts';
import { outgoingRepository } from './repository.ts';
import type { Task } from './types.ts';

export interface WorkerDeps {
  /** Does the task. @returns when it is due again; undefined: it is done */
  perform(task: Task, journal: Journal): Promise<number | undefined>;
  /** What an error of a call says, and what is thrown in its place. */
  describe: JournalDeps['describe'];
  translate: JournalDeps['translate'];
  /** Apps whose key does not work. */
  pausedApps(): Promise<readonly string[]>;
  /** From now on the app's key does not work. */
  pause(appId: string): Promise<void>;
}

export interface Worker {
  /** Does all that is due now. */
  work(): Promise<void>;
  /** Ends after what is being done. */
  stop(): Promise<void>;
}

/** Longer than a call may take, twice over; it is renewed before each. */
const LEASE_MS = 300_000;
/** More would only wait for the other system's limits. */
const AT_ONCE = 4;
const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 3_600_000;

export function createWorker(scope: Scope, deps: WorkerDeps): Worker {
  const holder = scope.newId();
  let isStopping = false;
  let working: Promise<void> | undefined;
  let isAskedFor = false;
  const one = async (): Promise<void> => {
    while (!isStopping) {
      const nowMs = scope.clock.nowMs();
      const pausedApps = await deps.pausedApps();
      const claim = { holder, nowMs, leaseToMs: nowMs + LEASE_MS, pausedApps };
      const task = await scope.transaction((scope) => outgoingRepository(scope).claim(claim));
      if (task === undefined) return;
      await perform(scope, deps, task, holder);
    }
  };
  const all = async (): Promise<void> => {
    try {
      while (isAskedFor && !isStopping) {
        isAskedFor = false;
        await Promise.all(Array.from({ length: AT_ONCE }, one));
      }
    } finally {
      working = undefined;
    }
  };
  return {
    work: () => {
      isAskedFor = true;
      working ??= all();
      return working;
    },
    stop: async () => {
      isStopping = true;
      await working;
    },
  };
}

async function perform(scope: Scope, deps: WorkerDeps, task: Task, holder: string): Promise<void> {
  const renew = (own: Scope) => outgoingRepository(own).renew(task.subjectId, holder, own.clock.nowMs() + LEASE_MS);
  const journal = createJournal(scope, task, { ...deps, renew });
  const { subjectId, appId } = task;
  try {
    const dueAtMs = await deps.perform(task, journal);
    await giveBack(scope, task, holder, dueAtMs === undefined ? undefined : { dueAtMs, attempts: 0, kind: 'invoice' });
  } catch (error) {
    if (error instanceof LeaseLost) return;
    if (error instanceof AppUnauthorized) await deps.pause(appId);
    const attempts = task.attempts + 1;
    const afterMs = (error instanceof TryLater ? error.afterMs : undefined) ?? retryAfterMs(attempts);
    scope.log.warn(
      { err: error, appId, subjectId, attempts, afterMs },
      'an app could not be worked with; it is tried again',
    );
    await giveBack(scope, task, holder, { dueAtMs: scope.clock.nowMs() + afterMs, attempts, kind: task.kind });
  }
}

/** 5 s, 10 s, 20 s … an hour. */
function retryAfterMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LAST_RETRY_MS);
}

function giveBack(
  scope: Scope,
  task: Task,
  holder: string,
  next: { dueAtMs: number; attempts: number; kind: Task['kind'] } | undefined,
): Promise<void> {
  return scope.transaction((scope) => outgoingRepository(scope).giveBack(task, holder, next));
}
