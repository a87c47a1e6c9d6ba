import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import type { Router } from '../../platform/http/router.ts';
import { sortBy } from '../../platform/http/sorting.ts';
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
  resourceRoutes(router, {
    kind: 'customer',
    name: 'customer',
    path: '/customers/{customerId}',
    tag: TAG,
    schema: customerSchema,
    create: {
      description: "Events whose subject is the key or a subject key are the customer's, those from before too.",
      answer: 'The customer.',
      access: 'write',
      body: createCustomerSchema,
      run: service.create,
    },
    list: {
      description: 'Deleted customers are left out.',
      answer: 'A page of customers.',
      page: customerPageSchema,
      query: queryOf({ page: numberedPage(), sort: sortBy(CUSTOMER_SORT), filters: filterBy(FILTERS) }),
      run: (query) => service.list(query.filters, query.sort, query.page),
    },
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
