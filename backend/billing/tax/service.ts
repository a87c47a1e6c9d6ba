import { customerLock } from '../../platform/db/locks.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Scope } from '../../platform/scope.ts';
import { taxProblem, taxRateNotFound, taxRateTaken } from './errors.ts';
import { taxRepository } from './repository.ts';
import { type CustomerTax, NO_CUSTOMER_TAX, type TaxRate, type TaxRatePage, type UpsertTaxRate } from './schema.ts';

export interface TaxDeps {
  scope: Scope;
  /** Deleted customers too; undefined when there never was one. */
  findCustomer(id: string, scope: Scope): Promise<{ id: string; deleted_at?: string | undefined } | undefined>;
  hasTaxCode(id: string, scope: Scope): Promise<boolean>;
}

/** What the taxes of a customer's invoices depend on, besides the invoice. */
export interface TaxRules {
  rates: readonly TaxRate[];
  customer: CustomerTax;
}

export interface TaxService {
  /** @throws DomainProblem 409 for the same scope as another's, 400 for an unknown tax code, or one rate too many */
  create(request: UpsertTaxRate): Promise<TaxRate>;
  list(page: PageRequest): Promise<TaxRatePage>;
  /** Deleted ones are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<TaxRate>;
  /** @throws RequestProblem 404, 410 @throws DomainProblem 400, 409 */
  update(id: string, request: UpsertTaxRate): Promise<TaxRate>;
  /** A second time does nothing. @throws RequestProblem 404 */
  remove(id: string): Promise<void>;
  /** @throws RequestProblem 404 */
  customerTax(customerId: string): Promise<CustomerTax>;
  /** @throws RequestProblem 404, 410 */
  setCustomerTax(customerId: string, tax: CustomerTax): Promise<CustomerTax>;
  rulesFor(customerId: string, scope: Scope): Promise<TaxRules>;
}

/** All are looked through for each invoice: more than all countries have, times some codes. */
const MAX_RATES = 2000;

/** Tax rates, and what is known of customers for taxes. */
export function createTaxService({ scope, findCustomer, hasTaxCode }: TaxDeps): TaxService {
  const check = async (scope: Scope, request: UpsertTaxRate, own: string | undefined) => {
    const taxCodeId = request.tax_code?.id;
    if (taxCodeId !== undefined && !(await hasTaxCode(taxCodeId, scope))) {
      throw taxProblem('tax_code_not_found', taxCodeId);
    }
    const same = await taxRepository(scope).sameScope(request);
    if (same !== undefined && same !== own) throw taxRateTaken(same);
  };
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        await check(scope, request, undefined);
        if ((await taxRepository(scope).count()) >= MAX_RATES) throw taxProblem('tax_rate_limit', `${MAX_RATES}`);
        const id = scope.newId();
        await taxRepository(scope).insert(id, request, scope.clock.nowMs());
        return existing(scope, id);
      }),
    list: async (page) => {
      const [data, total] = [await taxRepository(scope).page(page), await taxRepository(scope).count()];
      return { data, meta: pageMeta(page, total) };
    },
    get: (id) => existing(scope, id),
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const { deleted_at } = await existing(scope, id);
        if (deleted_at !== undefined) throw new RequestProblem('gone', `tax rate ${id} was deleted`);
        await check(scope, request, id);
        await taxRepository(scope).replace(id, request, scope.clock.nowMs());
        return existing(scope, id);
      }),
    remove: (id) =>
      scope.transaction(async (scope) => {
        const { deleted_at } = await existing(scope, id);
        if (deleted_at === undefined) await taxRepository(scope).markDeleted(id, scope.clock.nowMs());
      }),
    customerTax: async (customerId) => {
      if ((await findCustomer(customerId, scope)) === undefined) throw notFound('customer', customerId);
      return (await taxRepository(scope).ofCustomer(customerId)) ?? NO_CUSTOMER_TAX;
    },
    setCustomerTax: (customerId, tax) =>
      scope.transaction(
        async (scope) => {
          const customer = await findCustomer(customerId, scope);
          if (customer === undefined) throw notFound('customer', customerId);
          if (customer.deleted_at !== undefined) throw new RequestProblem('gone', `customer ${customerId} was deleted`);
          await taxRepository(scope).saveOfCustomer(customerId, tax, scope.clock.nowMs());
          return tax;
        },
        [customerLock(customerId)],
      ),
    rulesFor: async (customerId, own) => ({
      rates: await taxRepository(own).living(),
      customer: (await taxRepository(own).ofCustomer(customerId)) ?? NO_CUSTOMER_TAX,
    }),
  };
}

async function existing(scope: Scope, id: string): Promise<TaxRate> {
  const rate = await taxRepository(scope).byId(id);
  if (rate === undefined) throw taxRateNotFound(id);
  return rate;
}
