import { notFound } from '../../platform/errors.ts';
import type { ChangeRecorder, IntendedChange } from '../../platform/http/changes.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import { parseJsonText } from '../../platform/json.ts';
import { redactText } from '../../platform/redact.ts';
import type { Scope } from '../../platform/scope.ts';
import { toBoundedJson } from './bounded-json.ts';
import type { AuditFilter } from './filters.ts';
import { createRefusalLimit } from './refusal-limit.ts';
import { type AuditRow, auditLogRepository } from './repository.ts';
import type { AuditEntry, AuditPage, Outcome } from './schema.ts';

const DAY_MS = 86_400_000;
/** Rows removed at a time: some milliseconds, in which other changes wait. */
const REMOVED_AT_ONCE = 500;

export interface AuditLog {
  /** What the routers tell of each change. */
  recorder: ChangeRecorder;
  list(filters: readonly AuditFilter[], sort: Sort<'time'>, page: CursorRequest): Promise<AuditPage>;
  /** @throws RequestProblem 404 */
  get(id: string): Promise<AuditEntry>;
  /** Removes some of what is older. @returns whether there may be more */
  expire(retentionDays: number): Promise<{ removed: number; state: 'more' | 'done' }>;
}

/** Who changed what, when, and what it was before and after. Entries cannot be changed; only time removes them. */
export function createAuditLog(scope: Scope): AuditLog {
  const { log } = scope;
  const repository = auditLogRepository(scope);
  const mayRecordRefusal = createRefusalLimit(scope.clock);
  const rowOf = async (change: IntendedChange, outcome: Outcome, status: number | null): Promise<AuditRow> => ({
    id: scope.newId(),
    at: toStoredInstant(scope.clock.nowMs()),
    token_id: change.caller.tokenId,
    token_name: change.caller.tokenName,
    role: change.caller.role,
    client_address: change.clientAddress ?? null,
    request_id: redactText(change.requestId),
    operation_id: change.operationId,
    method: change.method,
    path: redactText(change.path),
    resource_type: change.resourceType,
    resource_id: change.resourceId === undefined ? null : redactText(change.resourceId),
    outcome,
    status,
    request: (await toBoundedJson(change.request)) ?? null,
    before: (await toBoundedJson(change.before)) ?? null,
    after: null,
  });
  return {
    recorder: {
      begin: async (change) => {
        const row = await rowOf(change, 'unknown', null);
        await repository.insert(row);
        return async ({ status, resourceId, after }) => {
          const completion = {
            outcome: outcomeOf(status),
            status,
            after: (await toBoundedJson(after)) ?? null,
            ...(resourceId !== undefined && { resource_id: resourceId }),
          };
          // The change is made: its answer must not become an error. The entry says that the outcome is unknown.
          await repository.complete(row.id, completion).catch((error: unknown) => {
            log.error({ err: error, auditEntryId: row.id, status }, 'the outcome of a change could not be recorded');
          });
        };
      },
      refused: async (attempt) => {
        if (!mayRecordRefusal(attempt.caller.tokenId)) return;
        const row = await rowOf(attempt, 'refused', 403);
        await repository.insert(row).catch((error: unknown) => {
          log.error({ err: error }, 'a refused request could not be recorded');
        });
      },
    },
    list: async (filters, sort, page) => toPage(await repository.page(filters, sort, page), page.size),
    get: async (id) => {
      const row = await repository.byId(id);
      if (row === undefined) throw notFound('audit entry', id);
      return toEntry(row);
    },
    expire: async (retentionDays) => {
      const removed = await repository.removeBefore(scope.clock.nowMs() - retentionDays * DAY_MS, REMOVED_AT_ONCE);
      return { removed, state: removed === REMOVED_AT_ONCE ? 'more' : 'done' };
    },
  };
}

function outcomeOf(status: number): Outcome {
  if (status < 400) return 'succeeded';
  return status < 500 ? 'refused' : 'failed';
}

function toPage(rows: readonly AuditRow[], size: number): AuditPage {
  const [first, last] = [rows.at(0)?.id, rows.at(-1)?.id];
  return {
    data: rows.map(toEntry),
    meta: {
      page: {
        size,
        ...(first !== undefined && { first }),
        ...(last !== undefined && { last }),
        next: last !== undefined && rows.length === size ? last : null,
        previous: null,
      },
    },
  };
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    time: fromStoredInstant(row.at),
    actor: {
      id: row.token_id,
      name: row.token_name,
      role: row.role,
      ...(row.client_address !== null && { address: row.client_address }),
    },
    operation_id: row.operation_id,
    method: row.method,
    path: row.path,
    resource: { type: row.resource_type, ...(row.resource_id !== null && { id: row.resource_id }) },
    outcome: row.outcome,
    ...(row.status !== null && { status: row.status }),
    request_id: row.request_id,
    ...(row.request !== null && { request: parseJsonText(row.request) }),
    ...(row.before !== null && { before: parseJsonText(row.before) }),
    ...(row.after !== null && { after: parseJsonText(row.after) }),
  };
}
