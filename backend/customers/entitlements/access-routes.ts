import { z } from '@hono/zod-openapi';
import { cursorPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { expand, instant } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { resourceKeySchema, ulidSchema } from '../../platform/http/schemas.ts';
import type { AccessQueries } from './access-query.ts';
import { accessQueryAnswerSchema, accessQuerySchema, balancesAnswerSchema, leaseQuerySchema } from './access-schema.ts';
import { featureAccessSchema } from './schema.ts';
import type { Values } from './values.ts';

const TAG = 'Entitlements';
const customerId = z.object({ customerId: ulidSchema });
const customerFeature = customerId.extend({ featureKey: resourceKeySchema });
const customerEntitlement = customerId.extend({ entitlementId: ulidSchema });

const valueQuery = queryOf({
  atMs: instant('at', 'The instant to tell of, RFC 3339; default now.'),
  withValue: expand('value', '"value" adds balance and usage.'),
});

/** Registers the operations that tell who has access to what. */
export function accessRoutes(router: Router, values: Values, queries: AccessQueries): void {
  queryRoutes(router, queries);
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlement-access',
      operationId: 'list-customer-entitlement-access',
      tag: TAG,
      summary: 'List customer entitlement access',
      access: 'read',
      params: customerId,
      responses: {
        200: jsonResponse('Access by feature.', z.strictObject({ data: z.array(featureAccessSchema) })),
      },
    },
    async ({ c, answer, params }) => {
      const access = await values.accessOfCustomer(params.customerId, c.req.raw.signal);
      return answer({ data: access });
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlement-access/features/{featureKey}',
      operationId: 'get-customer-entitlement-access',
      tag: TAG,
      summary: 'Get customer entitlement access',
      description: 'Without an entitlement there is no access, and no type.',
      access: 'read',
      params: customerFeature,
      responses: { 200: jsonResponse('Access to the feature.', featureAccessSchema.omit({ feature_key: true })) },
    },
    async ({ c, answer, params }) => {
      const { customerId: id, featureKey } = params;
      const { feature_key: _, ...access } = await values.byFeature(
        id,
        featureKey,
        { withValue: false },
        c.req.raw.signal,
      );
      return answer(access);
    },
  );
  valueRoutes(router, values);
}

function queryRoutes(router: Router, queries: AccessQueries): void {
  router.endpoint(
    {
      method: 'post',
      path: '/entitlement-access/query',
      operationId: 'query-entitlement-access',
      tag: TAG,
      summary: 'Query entitlement access',
      description: 'Access of up to 100 customers at once. Keys that no customer has are listed in errors.',
      access: 'enforce',
      query: queryOf({ page: cursorPage() }),
      body: accessQuerySchema,
      responses: { 200: jsonResponse('Access by customer and feature.', accessQueryAnswerSchema) },
    },
    async ({ c, answer, query, body }) => answer(await queries.access(body, query.page, c.req.raw.signal)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/entitlement-access/balances',
      operationId: 'query-entitlement-balances',
      tag: TAG,
      summary: 'Query entitlement balances',
      description:
        'As query-entitlement-access, with what is left of metered entitlements and when it is filled up again: what ' +
        'the gateway plugin entitlement-enforcement polls, so that it can count along in between.',
      access: 'enforce',
      query: queryOf({ page: cursorPage() }),
      body: accessQuerySchema,
      responses: { 200: jsonResponse('Balances by customer and feature.', balancesAnswerSchema) },
    },
    async ({ c, answer, query, body }) => answer(await queries.balances(body, query.page, c.req.raw.signal)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/entitlement-access/leases',
      operationId: 'lease-credit',
      tag: TAG,
      summary: 'Lease credit to a gateway node',
      description:
        'As query-entitlement-balances with credits, for one feature; and the node is given usage that it may let through ' +
        'by itself, which nobody else is given meanwhile. It asks again before that ends, and tells what of it is left.',
      access: 'enforce',
      body: leaseQuerySchema,
      responses: { 200: jsonResponse('Balances and leases by customer.', balancesAnswerSchema) },
    },
    async ({ c, answer, body }) => answer(await queries.leases(body, c.req.raw.signal)),
  );
}

function valueRoutes(router: Router, values: Values): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlement-access/features/{featureKey}/value',
      operationId: 'get-customer-entitlement-value-by-feature-key',
      tag: TAG,
      summary: 'Get customer entitlement value by feature key',
      access: 'read',
      params: customerFeature,
      query: valueQuery,
      responses: { 200: jsonResponse('Access and, expanded, balance and usage.', featureAccessSchema) },
    },
    async ({ c, answer, params, query }) =>
      answer(await values.byFeature(params.customerId, params.featureKey, query, c.req.raw.signal)),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/entitlements/{entitlementId}/value',
      operationId: 'get-customer-entitlement-value',
      tag: TAG,
      summary: 'Get customer entitlement value',
      access: 'read',
      params: customerEntitlement,
      query: valueQuery,
      responses: { 200: jsonResponse('Access and, expanded, balance and usage.', featureAccessSchema) },
    },
    async ({ c, answer, params, query }) =>
      answer(await values.byEntitlement(params.customerId, params.entitlementId, query, c.req.raw.signal)),
  );
}
