import { z } from '@hono/zod-openapi';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort } from '../../platform/http/sorting.ts';
import {
  type CustomerFilterField,
  createCustomerSchema,
  customerPageSchema,
  customerSchema,
  upsertCustomerSchema,
} from './schema.ts';
import { CUSTOMER_SORT, type CustomersService } from './service.ts';

const TAG = 'Customers';
const FILTERS: Record<CustomerFilterField, FilterKind> = {
  key: 'string',
  name: 'string',
  primary_email: 'string',
  usage_attribution_subject_key: 'string',
  billing_profile_id: 'ulid',
  plan_key: 'string',
};
const customerId = z.object({ customerId: ulidSchema });

/** Registers the operations of customers. */
export function customerRoutes(router: Router, service: CustomersService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/customers',
      operationId: 'create-customer',
      tag: TAG,
      summary: 'Create customer',
      description: "Events whose subject is the key or a subject key are the customer's, those from before too.",
      access: 'write',
      body: createCustomerSchema,
      responses: { 201: jsonResponse('The customer.', customerSchema) },
    },
    async ({ c, body }) => c.json(await service.create(body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers',
      operationId: 'list-customers',
      tag: TAG,
      summary: 'List customers',
      description: 'Deleted customers are left out.',
      access: 'read',
      query: listQuery('page', CUSTOMER_SORT, FILTERS),
      responses: { 200: jsonResponse('A page of customers.', customerPageSchema) },
    },
    async ({ c, query }) =>
      c.json(await service.list(readFilters(query, FILTERS), readSort(query, CUSTOMER_SORT), readPage(query))),
  );
  singleCustomerRoutes(router, service);
}

function singleCustomerRoutes(router: Router, service: CustomersService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}',
      operationId: 'get-customer',
      tag: TAG,
      summary: 'Get customer',
      access: 'read',
      params: customerId,
      responses: { 200: jsonResponse('The customer; a deleted one carries deleted_at.', customerSchema) },
    },
    async ({ c, params }) => c.json(await service.get(params.customerId)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/customers/{customerId}',
      operationId: 'upsert-customer',
      tag: TAG,
      summary: 'Upsert customer',
      description: 'Replaces everything but the key: what is left out is removed, the subject keys too.',
      access: 'write',
      params: customerId,
      body: upsertCustomerSchema,
      responses: { 200: jsonResponse('The customer.', customerSchema) },
    },
    async ({ c, params, body }) => c.json(await service.update(params.customerId, body)),
  );
  router.endpoint(
    {
      method: 'delete',
      path: '/customers/{customerId}',
      operationId: 'delete-customer',
      tag: TAG,
      summary: 'Delete customer',
      description: 'Key and subject keys are free for other customers again. Deleting twice answers 204 twice.',
      access: 'write',
      params: customerId,
      responses: { 204: { description: 'Deleted.' } },
    },
    async ({ c, params }) => {
      await service.remove(params.customerId);
      return c.body(null, 204);
    },
  );
}
