import { filterExpression } from '../../platform/db/filter-expression.ts';
import { withTables } from '../../platform/db/handle.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AUDIT_FILTERS, AuditFilter } from './filters.ts';
import type { Outcome } from './schema.ts';

export interface AuditRow {
  id: string;
  at: string;
  token_id: string;
  token_name: string;
  role: string;
  client_address: string | null;
  request_id: string;
  operation_id: string;
  method: string;
  path: string;
  resource_type: string;
  resource_id: string | null;
  outcome: Outcome;
  status: number | null;
  request: string | null;
  before: string | null;
  after: string | null;
}

const COLUMNS: Record<keyof typeof AUDIT_FILTERS, string> = {
  time: 'at',
  actor: 'token_name',
  actor_id: 'token_id',
  role: 'role',
  operation_id: 'operation_id',
  resource_type: 'resource_type',
  resource_id: 'resource_id',
  outcome: 'outcome',
};

/** What is known once there is an answer. */
export type Completion = Pick<AuditRow, 'outcome' | 'status' | 'after'> & { resource_id?: string };

export function auditLogRepository(scope: Scope) {
  type Tables = { audit_log: AuditRow };
  const tables = withTables<Tables>(scope);
  return {
    /**
     * Waits for no disk. The change that follows is stored in the same file, in order, and waits for it: there is no
     * change on disk without its row.
     */
    insert: (row: AuditRow): Promise<void> =>
      scope.withoutSync(async (own) => {
        await withTables<Tables>(own).insertInto('audit_log').values(row).execute();
      }),
    complete: (id: string, values: Completion): Promise<void> =>
      scope.withoutSync(async (own) => {
        await withTables<Tables>(own).updateTable('audit_log').set(values).where('id', '=', id).execute();
      }),
    byId: (id: string): Promise<AuditRow | undefined> =>
      tables.selectFrom('audit_log').selectAll().where('id', '=', id).executeTakeFirst(),
    page: (filters: readonly AuditFilter[], sort: Sort<'time'>, page: CursorRequest): Promise<AuditRow[]> => {
      let query = tables.selectFrom('audit_log').selectAll();
      for (const condition of filters) {
        const toColumn = condition.field === 'time' ? toStoredInstant : undefined;
        query = query.where(filterExpression(COLUMNS[condition.field], condition, toColumn));
      }
      // Ids rise with time.
      const { after } = page;
      if (after !== undefined) query = query.where('id', sort.direction === 'asc' ? '>' : '<', after);
      return query.orderBy('id', sort.direction).limit(page.size).execute();
    },
    /** @returns how many of the oldest rows from before an instant were removed */
    removeBefore: async (beforeMs: number, limit: number): Promise<number> => {
      const old = tables
        .selectFrom('audit_log')
        .select('id')
        .where('at', '<', toStoredInstant(beforeMs))
        .orderBy('at')
        .limit(limit);
      const { numDeletedRows } = await tables.deleteFrom('audit_log').where('id', 'in', old).executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}
