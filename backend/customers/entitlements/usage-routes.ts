import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { choice, flag, instant, text } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import {
  createGrantSchema,
  type GrantFilterField,
  grantPageSchema,
  grantSchema,
  historySchema,
  resetSchema,
} from './schema.ts';
import { GRANT_SORT, type UsageChanges } from './usage-changes.ts';
import type { Values } from './values.ts';

const TAG = 'Entitlements';
const GRANT_FILTERS: Record<GrantFilterField, FilterKind> = { customer_id: 'ulid', feature_id: 'ulid' };
const customerEntitlement = z.object({ customerId: ulidSchema, entitlementId: ulidSchema });
const grantId = z.object({ grantId: ulidSchema });

const includesDeleted = flag('include_deleted', '"true" lists those of deleted entitlements, too.');
const HISTORY = queryOf({
  fromMs: instant('from', 'RFC 3339; default the last reset.'),
  toMs: instant('to', 'RFC 3339; default now.'),
  windowSize: choice('window_size', 'PT1H or P1D; required.', ['PT1H', 'P1D']),
  timeZone: refine(text('time_zone', 'IANA name; default UTC.'), (name) => name ?? 'UTC'),
});

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
      body: resetSchema,
      bodyIsOptional: true,
      responses: { 204: { description: 'Reset.' } },
    },
    async ({ c, params, body }) => {
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
      query: HISTORY,
      responses: { 200: jsonResponse('Usage by window, and how the grants burnt down.', historySchema) },
    },
    async ({ c, answer, params, query }) =>
      answer(await values.history(params.customerId, params.entitlementId, query, c.req.raw.signal)),
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
      query: queryOf({ page: numberedPage(), sort: sortBy(GRANT_SORT), includesDeleted }),
      responses: { 200: jsonResponse('A page of grants.', grantPageSchema) },
    },
    async ({ answer, params, query }) =>
      answer(
        await changes.listGrants(
          { entitlement: params, includesDeleted: query.includesDeleted },
          [],
          query.sort,
          query.page,
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
      query: queryOf({
        page: numberedPage(),
        sort: sortBy(GRANT_SORT),
        filters: filterBy(GRANT_FILTERS),
        includesDeleted,
      }),
      responses: { 200: jsonResponse('A page of grants.', grantPageSchema) },
    },
    async ({ answer, query }) =>
      answer(
        await changes.listGrants({ includesDeleted: query.includesDeleted }, query.filters, query.sort, query.page),
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
      query: queryOf({ voidedAtMs: instant('voided_at', 'RFC 3339, cut to the minute; default now.') }),
      responses: { 204: { description: 'Voided.' } },
    },
    async ({ c, params, query }) => {
      const at = query.voidedAtMs === undefined ? undefined : formatInstant(query.voidedAtMs);
      await changes.voidGrant(params.grantId, at);
      return c.body(null, 204);
    },
  );
}
