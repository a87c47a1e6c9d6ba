import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import {
  createEntitlementSchema,
  type EntitlementFilterField,
  entitlementPageSchema,
  entitlementSchema,
} from './schema.ts';
import { ENTITLEMENT_SORT, type EntitlementsService } from './service.ts';

const TAG = 'Entitlements';
const OF_CUSTOMER: Record<Exclude<EntitlementFilterField, 'customer_id'>, FilterKind> = {
  feature_id: 'ulid',
  feature_key: 'string',
  type: { oneOf: ['boolean', 'static', 'metered'] },
};
const OF_ALL: Record<EntitlementFilterField, FilterKind> = { ...OF_CUSTOMER, customer_id: 'ulid' };
const customerId = z.object({ customerId: ulidSchema });
const entitlementId = z.object({ entitlementId: ulidSchema });
const customerEntitlement = customerId.extend({ entitlementId: ulidSchema });

/** Registers the operations of entitlements themselves. */
export function entitlementRoutes(router: Router, service: EntitlementsService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/entitlements',
      operationId: 'create-customer-entitlement',
      tag: TAG,
      summary: 'Create customer entitlement',
      description: 'A customer has at most one entitlement in force to a feature.',
      access: 'write',
      params: customerId,
      body: createEntitlementSchema,
      responses: { 201: jsonResponse('The entitlement.', entitlementSchema) },
    },
    async ({ answer, params, body }) => answer(await service.create(params.customerId, body), 201),
  );
  listRoutes(router, service);
  singleRoutes(router, service);
}

function listRoutes(router: Router, service: EntitlementsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlements',
      operationId: 'list-customer-entitlements',
      tag: TAG,
      summary: 'List customer entitlements',
      description: 'Those in force.',
      access: 'read',
      params: customerId,
      query: queryOf({ page: numberedPage(), sort: sortBy(ENTITLEMENT_SORT), filters: filterBy(OF_CUSTOMER) }),
      responses: { 200: jsonResponse('A page of entitlements.', entitlementPageSchema) },
    },
    async ({ answer, params, query }) =>
      answer(await service.list(params.customerId, query.filters, query.sort, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/entitlements',
      operationId: 'list-entitlements',
      tag: TAG,
      summary: 'List entitlements',
      description: 'Those in force, of all customers.',
      access: 'read',
      query: queryOf({ page: numberedPage(), sort: sortBy(ENTITLEMENT_SORT), filters: filterBy(OF_ALL) }),
      responses: { 200: jsonResponse('A page of entitlements.', entitlementPageSchema) },
    },
    async ({ answer, query }) => answer(await service.list(undefined, query.filters, query.sort, query.page)),
  );
}

function singleRoutes(router: Router, service: EntitlementsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlements/{entitlementId}',
      operationId: 'get-customer-entitlement',
      tag: TAG,
      summary: 'Get customer entitlement',
      access: 'read',
      params: customerEntitlement,
      responses: { 200: jsonResponse('The entitlement, also when it has ended.', entitlementSchema) },
    },
    async ({ answer, params }) => answer(await service.get(params.customerId, params.entitlementId)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/entitlements/{entitlementId}',
      operationId: 'get-entitlement',
      tag: TAG,
      summary: 'Get entitlement',
      access: 'read',
      params: entitlementId,
      responses: { 200: jsonResponse('The entitlement, also when it has ended.', entitlementSchema) },
    },
    async ({ answer, params }) => answer(await service.get(undefined, params.entitlementId)),
  );
  router.endpoint(
    {
      method: 'delete',
      path: '/customers/{customerId}/entitlements/{entitlementId}',
      operationId: 'delete-customer-entitlement',
      tag: TAG,
      summary: 'Delete customer entitlement',
      description: 'Ends it now. What was before stays as it was.',
      access: 'write',
      params: customerEntitlement,
      responses: { 204: { description: 'Ended.' } },
    },
    async ({ c, params }) => {
      await service.remove(params.customerId, params.entitlementId);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'put',
      path: '/customers/{customerId}/entitlements/{entitlementId}/override',
      operationId: 'override-customer-entitlement',
      tag: TAG,
      summary: 'Override customer entitlement',
      description: 'Ends it and begins another one to the same feature at the same instant.',
      access: 'write',
      params: customerEntitlement,
      body: createEntitlementSchema,
      responses: { 201: jsonResponse('The new entitlement.', entitlementSchema) },
    },
    async ({ answer, params, body }) =>
      answer(await service.override(params.customerId, params.entitlementId, body), 201),
  );
}
