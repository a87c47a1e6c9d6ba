import { z } from '@hono/zod-openapi';
import { readJsonBody } from '../../platform/http/body.ts';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import { type QueryParams, readBoolean } from '../../platform/http/query-params.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort } from '../../platform/http/sorting.ts';
import { validate } from '../../platform/http/validation.ts';
import { readInstant } from './access-routes.ts';
import { invalidQuery } from './errors.ts';
import {
  createGrantSchema,
  type GrantFilterField,
  grantPageSchema,
  grantSchema,
  historySchema,
  resetSchema,
} from './schema.ts';
import { GRANT_SORT, type UsageChanges } from './usage-changes.ts';
import type { HistoryQuery, Values } from './values.ts';

const TAG = 'Entitlements';
const GRANT_FILTERS: Record<GrantFilterField, FilterKind> = { customer_id: 'ulid', feature_id: 'ulid' };
const customerEntitlement = z.object({ customerId: ulidSchema, entitlementId: ulidSchema });
const grantId = z.object({ grantId: ulidSchema });

const queryText = (description: string) =>
  z
    .string()
    .optional()
    .openapi({ param: { in: 'query' }, description });

const includeDeleted = { include_deleted: queryText('"true" lists those of deleted entitlements, too.') };

/** Registers the operations on what may be used and what was: grants, resets, history. */
export function usageRoutes(router: Router, changes: UsageChanges, values: Values): void {
  grantRoutes(router, changes);
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/entitlements/{entitlementId}/reset',
      operationId: 'reset-customer-entitlement-usage',
      tag: TAG,
      summary: 'Reset customer entitlement usage',
      description: 'Usage begins anew, and with it the usage period unless the anchor is retained.',
      access: 'write',
      params: customerEntitlement,
      rawBody: { 'application/json': resetSchema },
      responses: { 204: { description: 'Reset.' } },
    },
    async ({ c, params }) => {
      // The body may be left out: everything in it has a default.
      const isEmpty = c.req.header('content-type') === undefined;
      const body = validate(resetSchema, isEmpty ? {} : await readJsonBody(c), 'body');
      await changes.reset(params.customerId, params.entitlementId, body);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlements/{entitlementId}/history',
      operationId: 'get-customer-entitlement-history',
      tag: TAG,
      summary: 'Get customer entitlement history',
      access: 'read',
      params: customerEntitlement,
      query: z.object({
        from: queryText('RFC 3339; default the last reset.'),
        to: queryText('RFC 3339; default now.'),
        window_size: queryText('PT1H or P1D; required.'),
        time_zone: queryText('IANA name; default UTC.'),
      }),
      responses: { 200: jsonResponse('Usage by window, and how the grants burnt down.', historySchema) },
    },
    async ({ c, answer, params, query }) =>
      answer(await values.history(params.customerId, params.entitlementId, readHistoryQuery(query), c.req.raw.signal)),
  );
}

function grantRoutes(router: Router, changes: UsageChanges): void {
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/entitlements/{entitlementId}/grants',
      operationId: 'create-customer-entitlement-grant',
      tag: TAG,
      summary: 'Create customer entitlement grant',
      access: 'write',
      params: customerEntitlement,
      body: createGrantSchema,
      responses: { 201: jsonResponse('The grant.', grantSchema) },
    },
    async ({ answer, params, body }) => answer(await changes.grant(params.customerId, params.entitlementId, body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlements/{entitlementId}/grants',
      operationId: 'list-customer-entitlement-grants',
      tag: TAG,
      summary: 'List customer entitlement grants',
      description: 'Voided and expired ones too.',
      access: 'read',
      params: customerEntitlement,
      query: listQuery('page', GRANT_SORT, {}).extend(includeDeleted),
      responses: { 200: jsonResponse('A page of grants.', grantPageSchema) },
    },
    async ({ answer, params, query }) =>
      answer(
        await changes.listGrants(
          { entitlement: params, includesDeleted: readBoolean(query, 'include_deleted', false) },
          [],
          readSort(query, GRANT_SORT),
          readPage(query),
        ),
      ),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/grants',
      operationId: 'list-entitlement-grants',
      tag: TAG,
      summary: 'List grants',
      description: 'Of all entitlements; voided and expired ones too.',
      access: 'read',
      query: listQuery('page', GRANT_SORT, GRANT_FILTERS).extend(includeDeleted),
      responses: { 200: jsonResponse('A page of grants.', grantPageSchema) },
    },
    async ({ answer, query }) =>
      answer(
        await changes.listGrants(
          { includesDeleted: readBoolean(query, 'include_deleted', false) },
          readFilters(query, GRANT_FILTERS),
          readSort(query, GRANT_SORT),
          readPage(query),
        ),
      ),
  );
  router.endpoint(
    {
      method: 'delete',
      path: '/grants/{grantId}',
      operationId: 'void-entitlement-grant',
      tag: TAG,
      summary: 'Void grant',
      description: 'What is left of it is gone; what it has paid for stays paid.',
      access: 'write',
      params: grantId,
      query: z.object({ voided_at: queryText('RFC 3339, cut to the minute; default now.') }),
      responses: { 204: { description: 'Voided.' } },
    },
    async ({ c, params, query }) => {
      readInstant(query, 'voided_at');
      await changes.voidGrant(params.grantId, query.get('voided_at'));
      return c.body(null, 204);
    },
  );
}

function readHistoryQuery(query: QueryParams): HistoryQuery {
  const windowSize = query.get('window_size');
  if (windowSize !== 'PT1H' && windowSize !== 'P1D') throw invalidQuery('window_size', 'must be PT1H or P1D');
  return {
    fromMs: readInstant(query, 'from'),
    toMs: readInstant(query, 'to'),
    windowSize,
    timeZone: query.get('time_zone') ?? 'UTC',
  };
}
