/**
 * A row before each call that changes something in another system, and its answer afterwards. The key of a call derives from what
 * it is for, so a call that may have been sent before a kill is sent again under the same key and is done once.
 */
import { createHash } from 'node:crypto';
import type { Scope } from '../../platform/scope.ts';
import { LeaseLost } from './errors.ts';
import { type CallAnswer, outgoingRepository } from './repository.ts';
import type { JournalRow, Task } from './types.ts';

/** How a call ended that did not succeed. */
export interface FailedCall {
  httpStatus?: number;
  errorCode?: string;
  requestId?: string;
  /** Nobody knows whether it was done: no answer came. */
  isUnknown: boolean;
}

export interface Journal {
  /**
   * Makes a call that changes something. Whoever calls has looked at what is there, and asks for what is missing: what was
   * done before is not known here to be enough.
   * @param operation what it is for: "lines.add"
   * @param request what is sent
   * @returns the id of what was changed there
   */
  call(operation: string, request: unknown, send: Send): Promise<string>;
  /**
   * Makes something that there is to be once, whatever happens.
   * @param find what was made by a call of which nobody knows what became
   * @returns its id there
   */
  make(operation: string, request: unknown, send: Send, find: () => Promise<string | undefined>): Promise<string>;
}

type Send = (idempotencyKey: string) => Promise<{ id: string; requestId?: string }>;

/** Other systems forget keys after a day at the earliest; an hour less, for clocks that differ. */
const KEY_LIVES_MS = 23 * 3_600_000;

export interface JournalDeps {
  /** What an error of `send` says. */
  describe(error: unknown): FailedCall;
  /** What whoever works on it is told in place of it. */
  translate(error: unknown): unknown;
  /** False when somebody else works on the task by now. */
  renew(scope: Scope): Promise<boolean>;
}

export function createJournal(
  scope: Scope,
  task: Pick<Task, 'subjectId' | 'appId' | 'revision'>,
  deps: JournalDeps,
): Journal {
  const { subjectId, revision } = task;
  const planned = async (operation: string, hash: string, known: JournalRow | undefined): Promise<JournalRow> =>
    scope.transaction(async (scope) => {
      if (!(await deps.renew(scope))) throw new LeaseLost();
      // Under its key a call is done once, however often it is sent.
      if (known !== undefined && mayBeSentAgain(known, hash, scope.clock.nowMs())) return known;
      return plan(scope, task, { operation, hash, attempt: (known?.attempt ?? 0) + 1 });
    });
  return {
    call: async (name, request, send) => {
      const hash = hashOf(request);
      const operation = `${revision}:${name}:${hash.slice(0, 16)}`;
      const last = await outgoingRepository(scope).lastCall(subjectId, operation);
      return sendNoted(scope, deps, await planned(operation, hash, last), send);
    },
    make: async (operation, request, send, find) => {
      const hash = hashOf(request);
      const last = await outgoingRepository(scope).lastCall(subjectId, operation);
      if (last?.state === 'done' && last.externalId !== undefined) return last.externalId;
      if (last !== undefined && !mayBeSentAgain(last, hash, scope.clock.nowMs())) {
        const found = await find();
        if (found !== undefined) {
          await note(scope, last, { state: 'done', externalId: found });
          return found;
        }
      }
      return sendNoted(scope, deps, await planned(operation, hash, last), send);
    },
  };
}

/** For work that no task asked for: a request of a person. */
export function createLooseJournal(
  scope: Scope,
  about: Pick<Task, 'subjectId' | 'appId'>,
  deps: Pick<JournalDeps, 'describe' | 'translate'>,
): Pick<Journal, 'make'> {
  return createJournal(scope, { ...about, revision: 0 }, { ...deps, renew: async () => true });
}

function mayBeSentAgain({ state, requestHash, plannedAtMs }: JournalRow, hash: string, nowMs: number): boolean {
  return state === 'planned' && requestHash === hash && nowMs - plannedAtMs < KEY_LIVES_MS;
}

async function sendNoted(scope: Scope, deps: JournalDeps, row: JournalRow, send: Send): Promise<string> {
  try {
    const { id, requestId } = await send(row.idempotencyKey);
    await note(scope, row, { state: 'done', externalId: id, ...(requestId !== undefined && { requestId }) });
    return id;
  } catch (error) {
    const { isUnknown, ...failed } = deps.describe(error);
    if (!isUnknown) await note(scope, row, { state: 'failed', ...failed });
    throw deps.translate(error);
  }
}

function hashOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32);
}

/** Stored, and then sent: its key is what it is for. */
async function plan(
  scope: Scope,
  { subjectId, appId }: Pick<Task, 'subjectId' | 'appId'>,
  { operation, hash, attempt }: { operation: string; hash: string; attempt: number },
): Promise<JournalRow> {
  const row: JournalRow = {
    id: scope.newId(),
    appId,
    subjectId,
    operation,
    attempt,
    idempotencyKey: `${subjectId}:${operation}:${attempt}`,
    requestHash: hash,
    state: 'planned',
    plannedAtMs: scope.clock.nowMs(),
  };
  await outgoingRepository(scope).plan(row);
  return row;
}

function note(scope: Scope, row: JournalRow, answer: CallAnswer): Promise<void> {
  return outgoingRepository(scope).answered(row.id, answer, scope.clock.nowMs());
}
