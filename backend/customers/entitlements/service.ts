import { customerLock } from '../../platform/db/locks.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { Scope } from '../../platform/scope.ts';
import { customerScope, nowByCustomer } from '../test-clocks/index.ts';
import { toEntitlementBody } from './bodies.ts';
import { grantOf, issueGrantOf, termsOf } from './drafts.ts';
import {
  customerDeleted,
  entitlementConflict,
  entitlementNotFound,
  invalidBody,
  managedBySubscription,
} from './errors.ts';
import { type Measured, type MeasuringDeps, measuredOf } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { CreateEntitlement, EntitlementBody, EntitlementFilterField, EntitlementSortField } from './schema.ts';
import { type Entitlement, isInForceAt } from './types.ts';

export const ENTITLEMENT_SORT: SortRules<EntitlementSortField> = {
  fields: ['created_at', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};

/** A customer as entitlements need it. */
export interface KnownCustomer {
  readonly id: string;
  readonly deleted_at?: string | undefined;
}

export interface EntitlementDeps extends MeasuringDeps {
  /** @param scope the transaction's inside one @throws RequestProblem 404 */
  readonly getCustomer: (id: string, scope: Scope) => Promise<KnownCustomer>;
}

export interface EntitlementPage {
  data: EntitlementBody[];
  meta: ReturnType<typeof pageMeta>;
}

export interface EntitlementsService {
  /** @throws RequestProblem 400, 404 @throws DomainProblem 409 */
  create(customerId: string, request: CreateEntitlement): Promise<EntitlementBody>;
  /** Those in force. @param customerId undefined: of all customers */
  list(
    customerId: string | undefined,
    filters: readonly FilterCondition<EntitlementFilterField>[],
    sort: Sort<EntitlementSortField>,
    page: PageRequest,
  ): Promise<EntitlementPage>;
  /** Ended ones too. @param customerId whose it must be; undefined: anybody's @throws RequestProblem 404 */
  get(customerId: string | undefined, id: string): Promise<EntitlementBody>;
  /** Ends it now; what was answered before stays as it was. @throws RequestProblem 404 @throws DomainProblem 403 */
  remove(customerId: string, id: string): Promise<void>;
  /** Ends it and begins another one at the same instant. @throws as create, DomainProblem 403 */
  override(customerId: string, id: string, request: CreateEntitlement): Promise<EntitlementBody>;
}

/** Entitlements and their rules. */
export function createEntitlementsService(deps: EntitlementDeps): EntitlementsService {
  const { scope } = deps;
  return {
    create: (customerId, request) =>
      changingCustomer(scope, customerId, async (scope) => {
        await livingCustomer(deps, customerId, scope);
        return toBody(await insertNew(deps, customerId, request, scope, await nowOf(customerId, scope)), deps, scope);
      }),
    list: async (customerId, filters, sort, page) => {
      if (customerId !== undefined) await livingCustomer(deps, customerId, scope);
      const own: FilterCondition<EntitlementFilterField>[] =
        customerId === undefined ? [] : [{ field: 'customer_id', operator: 'eq', values: [customerId] }];
      const now = await nowByCustomer(scope);
      const { entitlements, total } = await entitlementRepository(scope).page([...own, ...filters], sort, page, now);
      return { data: await toBodies(entitlements, deps, scope), meta: pageMeta(page, total) };
    },
    get: async (customerId, id) => toBody(await entitlementOf(scope, customerId, id), deps, scope),
    remove: (customerId, id) =>
      changingCustomer(scope, customerId, async (scope) => {
        const nowMs = await nowOf(customerId, scope);
        const found = await changeable(scope, customerId, id, nowMs);
        await entitlementRepository(scope).markDeleted(found.id, nowMs);
      }),
    override: (customerId, id, request) =>
      changingCustomer(scope, customerId, async (scope) => {
        await livingCustomer(deps, customerId, scope);
        const nowMs = await nowOf(customerId, scope);
        const found = await changeable(scope, customerId, id, nowMs);
        if (request.feature.id !== found.featureId) {
          throw invalidBody(
            'feature.id',
            `must be the feature of the entitlement that is overridden: ${found.featureId}`,
          );
        }
        await entitlementRepository(scope).setActiveTo(id, nowMs, nowMs);
        return toBody(await insertNew(deps, customerId, request, scope, nowMs), deps, scope);
      }),
  };
}

/** A transaction over what a customer may use. */
export function changingCustomer<T>(scope: Scope, customerId: string, work: (scope: Scope) => Promise<T>): Promise<T> {
  return scope.transaction(work, [customerLock(customerId)]);
}

/** The customer's now: those on a test clock live by their own. */
export async function nowOf(customerId: string, scope: Scope): Promise<number> {
  return (await customerScope(scope, customerId)).clock.nowMs();
}

/** The entitlement with this id. @param customerId whose it must be @throws RequestProblem 404 */
export async function entitlementOf(scope: Scope, customerId: string | undefined, id: string): Promise<Entitlement> {
  const found = await entitlementRepository(scope).byId(id);
  if (found === undefined || (customerId !== undefined && found.customerId !== customerId)) {
    throw entitlementNotFound(id);
  }
  return found;
}

/** @throws RequestProblem 404 @throws DomainProblem 409 when it was deleted */
async function livingCustomer({ getCustomer }: EntitlementDeps, id: string, scope: Scope): Promise<void> {
  const customer = await getCustomer(id, scope);
  if (customer.deleted_at !== undefined) throw customerDeleted(id, 'resource-conflict');
}

/** One that is in force and not a subscription's. */
async function changeable(scope: Scope, customerId: string, id: string, atMs: number): Promise<Entitlement> {
  const found = await entitlementOf(scope, customerId, id);
  if (!isInForceAt(found, atMs)) throw entitlementNotFound(id);
  if (found.source !== undefined) throw managedBySubscription(id, found.source.subscriptionId);
  return found;
}

async function insertNew(
  deps: EntitlementDeps,
  customerId: string,
  request: CreateEntitlement,
  scope: Scope,
  atMs: number,
): Promise<Entitlement> {
  const { features } = deps;
  const repository = entitlementRepository(scope);
  const feature = (await features.findByIds([request.feature.id], scope)).get(request.feature.id);
  if (feature === undefined || feature.deleted_at !== undefined) {
    const reason = feature === undefined ? 'feature not found' : 'the feature was archived';
    throw invalidBody('feature.id', `${reason}: ${request.feature.id}`);
  }
  if (request.type === 'metered' && feature.meter === undefined) {
    throw invalidBody('feature.id', `feature "${feature.key}" has no meter, so nothing can be measured`);
  }
  const [conflict] = await repository.overlapping(customerId, feature.key, atMs, undefined);
  if (conflict !== undefined) throw entitlementConflict(feature.key, conflict.id);
  const entitlement: Entitlement = {
    id: scope.newId(),
    customerId,
    featureId: feature.id,
    featureKey: feature.key,
    terms: termsOf(request, atMs),
    labels: request.labels,
    activeFromMs: atMs,
    activeToMs: undefined,
    source: undefined,
    createdAtMs: atMs,
    updatedAtMs: atMs,
    deletedAtMs: undefined,
  };
  await repository.insert(entitlement);
  for (const grant of issueGrantOf(entitlement, scope.newId(), atMs)) await repository.insertGrant(grant);
  const grants = request.type === 'metered' ? (request.grants ?? []) : [];
  for (const grant of grants) {
    await repository.insertGrant(grantOf(grant, { id: scope.newId(), entitlementId: entitlement.id }, atMs));
  }
  return entitlement;
}

async function toBody(entitlement: Entitlement, deps: EntitlementDeps, scope: Scope): Promise<EntitlementBody> {
  const [body] = await toBodies([entitlement], deps, scope);
  if (body === undefined) throw new Error(`entitlement ${entitlement.id} has no body`);
  return body;
}

async function toBodies(
  entitlements: readonly Entitlement[],
  { features }: EntitlementDeps,
  scope: Scope,
): Promise<EntitlementBody[]> {
  const now = await nowByCustomer(scope);
  const stored = await entitlementRepository(scope).withGrants(entitlements);
  const measured = new Map<string, Measured>(
    (await measuredOf(stored, { scope, features })).map((one) => [one.stored.entitlement.id, one]),
  );
  return entitlements.map((one) => toEntitlementBody(one, measured.get(one.id), now.of(one.customerId)));
}
