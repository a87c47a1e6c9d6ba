import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
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
    async ({ answer, body }) => answer(await service.create(body), 201),
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
    async ({ answer, query }) =>
      answer(await service.list(readFilters(query, FILTERS), readSort(query, CUSTOMER_SORT), readPage(query))),
  );
  resourceRoutes(router, {
    kind: 'customer',
    name: 'customer',
    path: '/customers/{customerId}',
    tag: TAG,
    schema: customerSchema,
    get: { answer: 'The customer; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'upsert',
      description: 'Replaces everything but the key: what is left out is removed, the subject keys too.',
      answer: 'The customer.',
      access: 'write',
      body: upsertCustomerSchema,
      run: service.update,
    },
    remove: {
      description: 'Key and subject keys are free for other customers again. Deleting twice answers 204 twice.',
      access: 'write',
      run: service.remove,
    },
  });
}
