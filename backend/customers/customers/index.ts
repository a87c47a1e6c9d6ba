import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Attribution, createAttribution } from './attribution.ts';
import { customerRepository, type RelatedColumns } from './repository.ts';
import { customerRoutes } from './routes.ts';
import type { Customer } from './schema.ts';
import { type CustomerBlockers, type CustomersService, createCustomersService } from './service.ts';

export type { CustomerRef } from './attribution.ts';
export { CUSTOMERS_SEARCHED } from './repository.ts';
export {
  addressSchema,
  type CreateCustomer,
  type Customer,
  type CustomerPage,
  createCustomerSchema,
  customerKeySchema,
  customerSchema,
  type UpsertCustomer,
  usageAttributionSchema,
} from './schema.ts';
export type { CustomerBlockers } from './service.ts';

/** Customers: the API's operations, and whose usage an event is. */
export interface Customers extends CustomersService, Attribution {
  /** Registers the operations under `/customers`. */
  routes(router: Router): void;
  /** Whole customers by id, deleted ones included; unknown ids are absent. */
  getMany(ids: readonly string[]): Promise<Customer[]>;
}

/**
 * @param deps.db a handle of its own transactions: to take part in another module's transaction, create the module anew
 * with that transaction's handle
 * @param deps.blockers what modules above have against a change; nothing when left out
 * @param deps.relatedColumns SQL over the table `customers` for the filters that modules above answer
 */
export function createCustomers(deps: {
  scope: Scope;
  blockers?: CustomerBlockers;
  relatedColumns?: RelatedColumns;
}): Customers {
  const service = createCustomersService(deps);
  return {
    ...service,
    ...createAttribution(deps.scope),
    routes: (router) => customerRoutes(router, service),
    getMany: (ids) => customerRepository(deps.scope).byIds(ids),
  };
}
