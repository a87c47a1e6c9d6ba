import { customerLock } from '../../platform/db/locks.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { customerGone, customerNotFound, keyConflict, subjectKeyConflict } from './errors.ts';
import { customerRepository, type RelatedColumns } from './repository.ts';
import type {
  CreateCustomer,
  Customer,
  CustomerFilterField,
  CustomerPage,
  CustomerSortField,
  UpsertCustomer,
} from './schema.ts';

export const CUSTOMER_SORT: SortRules<CustomerSortField> = {
  fields: ['name', 'id', 'created_at'],
  default: 'name',
  defaultDirection: 'asc',
};

/**
 * What keeps a customer as it is, told by modules above: subscriptions, entitlements, invoices. The answer is the
 * problem to refuse the request with, undefined when nothing stands in the way. They are asked inside the transaction
 * of the change, with its scope.
 */
export interface CustomerBlockers {
  deletion(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  /** Asked when the list of subject keys becomes another one; its order counts. */
  subjectKeyChange(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  /** Asked when the currency becomes another one. */
  currencyChange(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
}

export interface CustomersService {
  /** @throws DomainProblem 409 when the key or a subject key belongs to another customer */
  create(request: CreateCustomer): Promise<Customer>;
  /** Deleted customers are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<Customer>;
  /** Living customers. */
  list(
    filters: readonly FilterCondition<CustomerFilterField>[],
    sort: Sort<CustomerSortField>,
    page: PageRequest,
  ): Promise<CustomerPage>;
  /**
   * Replaces everything but the key.
   * @throws RequestProblem 404, 410 when the customer was deleted
   * @throws DomainProblem 409 when a subject key belongs to another customer, or what a blocker says
   */
  update(id: string, request: UpsertCustomer): Promise<Customer>;
  /** Deleting a deleted customer does nothing. @throws RequestProblem 404 @throws DomainProblem what a blocker says */
  remove(id: string): Promise<void>;
}

const NOTHING_BLOCKS: CustomerBlockers = {
  deletion: async () => undefined,
  subjectKeyChange: async () => undefined,
  currencyChange: async () => undefined,
};

/**
 * Customers and their rules. Each change is one transaction that begins with its write: a transaction that reads first
 * and writes later fails on SQLite when another connection has written in between.
 */
export function createCustomersService(deps: {
  scope: Scope;
  blockers?: CustomerBlockers;
  relatedColumns?: RelatedColumns;
}): CustomersService {
  const { scope, blockers = NOTHING_BLOCKS, relatedColumns = {} } = deps;
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        const at = formatInstant(scope.clock.nowMs());
        const customer: Customer = { id: scope.newId(), ...request, created_at: at, updated_at: at };
        await insertWithFreeKey(scope, customer);
        await replaceSubjectKeys(scope, customer.id, subjectKeysOf(request));
        return existing(scope, customer.id);
      }),
    get: (id) => existing(scope, id),
    list: async (filters, sort, page) => {
      const { customers, total } = await customerRepository(scope).page(filters, sort, page, relatedColumns);
      return { data: customers, meta: pageMeta(page, total) };
    },
    update: (id, request) =>
      scope.transaction(
        async (scope) => {
          const values = { ...request, ...(await settledCurrency(scope, id, request, blockers)) };
          if (!(await customerRepository(scope).replace(id, values, scope.clock.nowMs())))
            throw await notLiving(scope, id);
          await changeSubjectKeys(scope, id, subjectKeysOf(request), blockers);
          return existing(scope, id);
        },
        [customerLock(id)],
      ),
    remove: (id) =>
      scope.transaction(async (scope) => {
        if (!(await customerRepository(scope).markDeleted(id, scope.clock.nowMs()))) {
          await existing(scope, id);
          return;
        }
        const blocked = await blockers.deletion(id, scope);
        if (blocked !== undefined) throw blocked;
      }),
  };
}

function subjectKeysOf(request: UpsertCustomer): readonly string[] {
  return request.usage_attribution?.subject_keys ?? [];
}

async function existing(scope: Scope, id: string): Promise<Customer> {
  const customer = await customerRepository(scope).byId(id);
  if (customer === undefined) throw customerNotFound(id);
  return customer;
}

/** Why a customer cannot be changed. */
async function notLiving(scope: Scope, id: string): Promise<Error> {
  const { deleted_at } = await existing(scope, id);
  return deleted_at === undefined
    ? new Error(`customer ${id} lives but was not changed`)
    : customerGone(id, deleted_at);
}

/**
 * A key may not mean anything else already: events with that subject would move to the new customer, out of the bill
 * of the one that they belong to. A subject key may equal another customer's key, as the key wins.
 */
async function insertWithFreeKey(scope: Scope, customer: Customer): Promise<void> {
  const customers = customerRepository(scope);
  const { id, key } = customer;
  const isInserted = await customers.insert(customer);
  const named = (await customers.livingSubjects([key])).filter((row) => row.id !== id);
  if (!isInserted)
    throw keyConflict(
      'customer_key_taken',
      key,
      named.find((row) => row.is_key === 1),
    );
  const [holder] = named;
  if (holder !== undefined) throw keyConflict('customer_key_is_subject_key', key, holder);
  const namesake = await customers.byId(key);
  if (namesake !== undefined) throw keyConflict('customer_key_is_customer_id', key, namesake);
}

/**
 * A currency that is settled stays when it is left out: often it was the first subscription that set it, and whoever
 * replaces the customer's other data does not know of it.
 */
async function settledCurrency(
  scope: Scope,
  id: string,
  request: UpsertCustomer,
  blockers: CustomerBlockers,
): Promise<Pick<UpsertCustomer, 'currency'>> {
  const { currency } = (await customerRepository(scope).byId(id)) ?? {};
  if (currency === undefined || request.currency === currency) return {};
  const blocked = await blockers.currencyChange(id, scope);
  if (blocked === undefined) return {};
  if (request.currency !== undefined) throw blocked;
  return { currency };
}

async function changeSubjectKeys(
  scope: Scope,
  id: string,
  subjectKeys: readonly string[],
  blockers: CustomerBlockers,
): Promise<void> {
  const current = await customerRepository(scope).subjectKeys(id);
  const isSame = current.length === subjectKeys.length && current.every((key, index) => key === subjectKeys[index]);
  if (isSame) return;
  const blocked = await blockers.subjectKeyChange(id, scope);
  if (blocked !== undefined) throw blocked;
  await replaceSubjectKeys(scope, id, subjectKeys);
}

async function replaceSubjectKeys(scope: Scope, customerId: string, subjectKeys: readonly string[]): Promise<void> {
  const customers = customerRepository(scope);
  if (await customers.replaceSubjectKeys(customerId, subjectKeys)) return;
  const named = await customers.livingSubjects(subjectKeys);
  const taken = named.filter((row) => row.is_key === 0 && row.id !== customerId);
  throw subjectKeyConflict(
    taken.map((row) => ({ position: subjectKeys.indexOf(row.subject), holder: row, subjectKey: row.subject })),
  );
}
