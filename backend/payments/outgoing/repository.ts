import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { JournalRow, Task, TaskKind } from './types.ts';

interface TaskRow {
  subject_id: string;
  app_id: string;
  kind: string;
  revision: number;
  attempts: number;
  content: string;
  due_at: string;
  holder: string | null;
  lease_to: string | null;
}

interface CallRow {
  id: string;
  app_id: string;
  subject_id: string;
  operation: string;
  attempt: number;
  idempotency_key: string;
  request_hash: string;
  state: string;
  external_id: string | null;
  http_status: number | null;
  error_code: string | null;
  request_id: string | null;
  planned_at: string;
  answered_at: string | null;
}

/** What is to be done, and what was. A handle lives as long as the transaction that it is made for. */
export function outgoingRepository(db: DbHandle) {
  const tables = withTables<{ app_tasks: TaskRow; app_calls: CallRow }>(db);
  return { ...tasks(tables), ...calls(tables) };
}

type Tables = ReturnType<typeof withTables<{ app_tasks: TaskRow; app_calls: CallRow }>>;

function tasks(tables: Tables) {
  const held = (subjectId: string, holder: string) =>
    tables.updateTable('app_tasks').where('subject_id', '=', subjectId).where('holder', '=', holder);
  return {
    /** Asks for work, now; whoever works on it already finds that more was asked for. */
    ask: async (task: Omit<Task, 'revision' | 'attempts'>, atMs: number): Promise<void> => {
      const content = JSON.stringify(task.content);
      const row = { app_id: task.appId, kind: task.kind, attempts: 0, content, due_at: toStoredInstant(atMs) };
      await tables
        .insertInto('app_tasks')
        .values({ subject_id: task.subjectId, ...row, revision: 1, holder: null, lease_to: null })
        .onConflict((conflict) =>
          conflict.column('subject_id').doUpdateSet((eb) => ({
            ...row,
            // That it is to be tried once more is not forgotten because somebody wants to look.
            kind: eb.case().when('app_tasks.kind', '=', 'collect').then('collect').else(task.kind).end(),
            revision: eb('app_tasks.revision', '+', 1),
          })),
        )
        .execute();
    },
    /** Takes what is due, of apps that can be worked with, the longest due first. */
    claim: async (options: {
      holder: string;
      nowMs: number;
      leaseToMs: number;
      pausedApps: readonly string[];
    }): Promise<Task | undefined> => {
      const now = toStoredInstant(options.nowMs);
      let due = tables.selectFrom('app_tasks').selectAll().where('due_at', '<=', now);
      due = due.where((eb) => eb.or([eb('holder', 'is', null), eb('lease_to', '<=', now)]));
      if (options.pausedApps.length > 0) due = due.where('app_id', 'not in', options.pausedApps);
      const row = await due.orderBy('due_at').orderBy('subject_id').limit(1).executeTakeFirst();
      if (row === undefined) return undefined;
      // Whoever was faster has another holder, or has done it.
      const claimed = await tables
        .updateTable('app_tasks')
        .set({ holder: options.holder, lease_to: toStoredInstant(options.leaseToMs) })
        .where('subject_id', '=', row.subject_id)
        .where('revision', '=', row.revision)
        .where((eb) => eb.or([eb('holder', 'is', null), eb('lease_to', '<=', now)]))
        .executeTakeFirstOrThrow();
      return claimed.numUpdatedRows === 1n ? toTask(row) : undefined;
    },
    /** @returns false when somebody else has it by now */
    renew: async (subjectId: string, holder: string, leaseToMs: number): Promise<boolean> => {
      const result = await held(subjectId, holder)
        .set({ lease_to: toStoredInstant(leaseToMs) })
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows === 1n;
    },
    /** Gives it back; what was asked for in between stays due. @param next undefined: there is nothing more to do */
    giveBack: async (
      { subjectId, revision }: Task,
      holder: string,
      next: { dueAtMs: number; attempts: number; kind: TaskKind } | undefined,
    ): Promise<void> => {
      const free = { holder: null, lease_to: null };
      if (next === undefined) {
        const own = tables.deleteFrom('app_tasks').where('subject_id', '=', subjectId).where('holder', '=', holder);
        await own.where('revision', '=', revision).execute();
      } else {
        const due = { due_at: toStoredInstant(next.dueAtMs), attempts: next.attempts, kind: next.kind };
        await held(subjectId, holder)
          .where('revision', '=', revision)
          .set({ ...due, ...free })
          .execute();
      }
      await held(subjectId, holder).set(free).execute();
    },
    /** When the next task is due; undefined: there is none. */
    nextDueMs: async (): Promise<number | undefined> => {
      const row = await tables.selectFrom('app_tasks').select('due_at').orderBy('due_at').limit(1).executeTakeFirst();
      return row && Date.parse(row.due_at);
    },
    /** What waited for a key of the app is tried at once. */
    wakeApp: async (appId: string, atMs: number): Promise<void> => {
      const own = tables.updateTable('app_tasks').where('app_id', '=', appId);
      await own.set({ due_at: toStoredInstant(atMs), attempts: 0 }).execute();
    },
  };
}

function calls(tables: Tables) {
  return {
    /** The last attempt of an operation. */
    lastCall: async (subjectId: string, operation: string): Promise<JournalRow | undefined> => {
      const own = tables.selectFrom('app_calls').selectAll().where('subject_id', '=', subjectId);
      const row = await own.where('operation', '=', operation).orderBy('attempt', 'desc').limit(1).executeTakeFirst();
      return row && toCall(row);
    },
    plan: async (call: JournalRow): Promise<void> => {
      await tables
        .insertInto('app_calls')
        .values({
          id: call.id,
          app_id: call.appId,
          subject_id: call.subjectId,
          operation: call.operation,
          attempt: call.attempt,
          idempotency_key: call.idempotencyKey,
          request_hash: call.requestHash,
          state: call.state,
          external_id: null,
          http_status: null,
          error_code: null,
          request_id: null,
          planned_at: toStoredInstant(call.plannedAtMs),
          answered_at: null,
        })
        .execute();
    },
    answered: async (id: string, answer: CallAnswer, atMs: number): Promise<void> => {
      await tables
        .updateTable('app_calls')
        .set({
          state: answer.state,
          external_id: answer.externalId ?? null,
          http_status: answer.httpStatus ?? null,
          error_code: answer.errorCode ?? null,
          request_id: answer.requestId ?? null,
          answered_at: toStoredInstant(atMs),
        })
        .where('id', '=', id)
        .execute();
    },
  };
}

export type CallAnswer = Pick<JournalRow, 'externalId' | 'httpStatus' | 'errorCode' | 'requestId'> & {
  state: 'done' | 'failed';
};

function toTask(row: TaskRow): Task {
  return {
    subjectId: row.subject_id,
    appId: row.app_id,
    kind: row.kind as TaskKind,
    revision: row.revision,
    attempts: row.attempts,
    content: JSON.parse(row.content) as Task['content'],
  };
}

function toCall(row: CallRow): JournalRow {
  return {
    id: row.id,
    appId: row.app_id,
    subjectId: row.subject_id,
    operation: row.operation,
    attempt: row.attempt,
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash,
    state: row.state as JournalRow['state'],
    ...(row.external_id !== null && { externalId: row.external_id }),
    ...(row.http_status !== null && { httpStatus: row.http_status }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.request_id !== null && { requestId: row.request_id }),
    plannedAtMs: Date.parse(row.planned_at),
    ...(row.answered_at !== null && { answeredAtMs: Date.parse(row.answered_at) }),
  };
}
