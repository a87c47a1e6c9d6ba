import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../../platform/errors.ts';
import { filterBy } from '../../platform/http/filtering.ts';
import { type CursorRequest, cursorPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { type SortRules, sortBy } from '../../platform/http/sorting.ts';
import { ULID_PATTERN } from '../../platform/ids.ts';
import { AUDIT_FILTERS } from './filters.ts';
import { auditEntrySchema, auditPageSchema } from './schema.ts';
import type { AuditLog } from './service.ts';

const TAG = 'Audit log';
const SORT: SortRules<'time'> = { fields: ['time'], default: 'time', defaultDirection: 'desc' };

/** Registers the audit log. Our own addition to the contract. */
export function auditLogRoutes(router: Router, auditLog: AuditLog): void {
  router.endpoint(
    {
      method: 'get',
      path: '/audit-log',
      operationId: 'list-audit-entries',
      tag: TAG,
      summary: 'List audit entries',
      description:
        'Who changed what over the API, newest first: every request that changes something and reached its operation, ' +
        'and requests that were refused for their role (60 a minute of each token). Events sent and queries are none.',
      access: 'administer',
      query: queryOf({
        page: refine(cursorPage(), checkedCursor),
        sort: sortBy(SORT),
        filters: filterBy(AUDIT_FILTERS),
      }),
      responses: { 200: jsonResponse('A page of entries.', auditPageSchema) },
    },
    async ({ answer, query }) => answer(await auditLog.list(query.filters, query.sort, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/audit-log/{auditEntryId}',
      operationId: 'get-audit-entry',
      tag: TAG,
      summary: 'Get audit entry',
      access: 'administer',
      params: z.object({ auditEntryId: ulidSchema }),
      responses: { 200: jsonResponse('The entry.', auditEntrySchema) },
    },
    async ({ answer, params }) => answer(await auditLog.get(params.auditEntryId)),
  );
}

/** A cursor of this list is the id of an entry. */
function checkedCursor(page: CursorRequest): CursorRequest {
  if (page.after === undefined || ULID_PATTERN.test(page.after)) return page;
  const reason = 'is not a cursor of this list';
  throw invalidParameter({ field: 'page[after]', rule: 'invalid', reason, source: 'query' });
}
