import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { referencedTaxCodeNotFound, taxCodeFixed, taxCodeGone, taxCodeKeyTaken, taxCodeNotFound } from './errors.ts';
import { type StoredTaxCode, taxCodeRepository } from './repository.ts';
import type {
  CreateTaxCode,
  DefaultTaxCodes,
  TaxCode,
  TaxCodePage,
  UpdateDefaultTaxCodes,
  UpsertTaxCode,
} from './schema.ts';

/** The code that is there from the first start on: the tax provider uses the one set there. */
const PROVIDER_DEFAULT_ID = '00000000000000000000000001';

export interface TaxCodesService {
  /** @throws DomainProblem 409 for a key in use */
  create(request: CreateTaxCode): Promise<TaxCode>;
  /** Deleted ones are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<TaxCode>;
  list(includeDeleted: boolean, page: PageRequest): Promise<TaxCodePage>;
  /** Replaces everything but the key. @throws RequestProblem 404, 410 @throws DomainProblem 409 for the system's own */
  update(id: string, request: UpsertTaxCode): Promise<TaxCode>;
  /** A second time does nothing. @throws RequestProblem 404 @throws DomainProblem 409 for a default or the system's own */
  remove(id: string): Promise<void>;
  /** What is used where a rate card and a credit grant name no tax code. */
  defaults(): Promise<DefaultTaxCodes>;
  /** What lines of invoices get that name none, and whether that is the code that says nothing. */
  invoicing(scope: Scope): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
  /** Whether there is such a code that was not deleted. */
  isLiving(id: string, scope: Scope): Promise<boolean>;
  /** What is left out stays. @throws DomainProblem 404 for a tax code that does not exist or was deleted */
  updateDefaults(request: UpdateDefaultTaxCodes): Promise<DefaultTaxCodes>;
}

/** Tax codes and their rules. */
export function createTaxCodesService(deps: { scope: Scope }): TaxCodesService {
  const { scope } = deps;
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        const taxCodes = taxCodeRepository(scope);
        const holder = await taxCodes.livingByKey(request.key);
        if (holder !== undefined) throw taxCodeKeyTaken(request.key, holder.id);
        const at = formatInstant(scope.clock.nowMs());
        const id = scope.newId();
        await taxCodes.insert({ id, ...request, created_at: at, updated_at: at });
        return (await existing(scope, id)).taxCode;
      }),
    get: async (id) => (await existing(scope, id)).taxCode,
    list: async (includeDeleted, page) => {
      const { taxCodes, total } = await taxCodeRepository(scope).page(includeDeleted, page);
      return { data: taxCodes, meta: pageMeta(page, total) };
    },
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const { taxCode, isManagedBySystem } = await existing(scope, id);
        if (taxCode.deleted_at !== undefined) throw taxCodeGone(id, taxCode.deleted_at);
        if (isManagedBySystem) throw taxCodeFixed('tax_code_managed_by_system', taxCode.key);
        await taxCodeRepository(scope).replace(id, request, scope.clock.nowMs());
        return (await existing(scope, id)).taxCode;
      }),
    remove: (id) =>
      scope.transaction(async (scope) => {
        const { taxCode, isManagedBySystem } = await existing(scope, id);
        if (taxCode.deleted_at !== undefined) return;
        if (isManagedBySystem) throw taxCodeFixed('tax_code_managed_by_system', taxCode.key);
        const { invoicing_tax_code, credit_grant_tax_code } = await taxCodeRepository(scope).defaults();
        if (id === invoicing_tax_code.id || id === credit_grant_tax_code.id) {
          throw taxCodeFixed('tax_code_is_organization_default', taxCode.key);
        }
        await taxCodeRepository(scope).markDeleted(id, scope.clock.nowMs());
      }),
    defaults: () => taxCodeRepository(scope).defaults(),
    invoicing: async (own) => {
      const { id: taxCodeId } = (await taxCodeRepository(own).defaults()).invoicing_tax_code;
      return { taxCodeId, isProviderDefault: taxCodeId === PROVIDER_DEFAULT_ID };
    },
    isLiving,
    updateDefaults: (request) =>
      scope.transaction(async (scope) => {
        const taxCodes = taxCodeRepository(scope);
        const current = await taxCodes.defaults();
        const { invoicing_tax_code = current.invoicing_tax_code } = request;
        const { credit_grant_tax_code = current.credit_grant_tax_code } = request;
        await checkLiving(scope, invoicing_tax_code.id, 'invoicing_tax_code.id');
        await checkLiving(scope, credit_grant_tax_code.id, 'credit_grant_tax_code.id');
        await taxCodes.setDefaults(invoicing_tax_code.id, credit_grant_tax_code.id, scope.clock.nowMs());
        return taxCodes.defaults();
      }),
  };
}

async function existing(scope: Scope, id: string): Promise<StoredTaxCode> {
  const [found] = await taxCodeRepository(scope).byIds([id]);
  if (found === undefined) throw taxCodeNotFound(id);
  return found;
}

async function checkLiving(scope: Scope, id: string, field: string): Promise<void> {
  if (!(await isLiving(id, scope))) throw referencedTaxCodeNotFound(id, field);
}

async function isLiving(id: string, scope: Scope): Promise<boolean> {
  const [found] = await taxCodeRepository(scope).byIds([id]);
  return found !== undefined && found.taxCode.deleted_at === undefined;
}
