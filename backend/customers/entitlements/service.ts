import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { NewId } from '../../platform/ids.ts';
import { clockOf, nowByCustomer } from '../test-clocks/index.ts';
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
  readonly clock: Clock;
  readonly newId: NewId;
  /** @param db the transaction's handle inside one @throws RequestProblem 404 */
  readonly getCustomer: (id: string, db: ControlDb) => Promise<KnownCustomer>;
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
  const { db, clock } = deps;
  return {
    create: (customerId, request) =>
      db.transaction(async (trx) => {
        await livingCustomer(deps, customerId, trx);
        return toBody(await insertNew(deps, customerId, request, trx, await nowOf(deps, customerId, trx)), deps, trx);
      }),
    list: async (customerId, filters, sort, page) => {
      if (customerId !== undefined) await livingCustomer(deps, customerId, db);
      const own: FilterCondition<EntitlementFilterField>[] =
        customerId === undefined ? [] : [{ field: 'customer_id', operator: 'eq', values: [customerId] }];
      const now = await nowByCustomer(db, clock);
      const { entitlements, total } = await entitlementRepository(db).page([...own, ...filters], sort, page, now);
      return { data: await toBodies(entitlements, deps, db), meta: pageMeta(page, total) };
    },
    get: async (customerId, id) => toBody(await entitlementOf(db, customerId, id), deps, db),
    remove: (customerId, id) =>
      db.transaction(async (trx) => {
        const nowMs = await nowOf(deps, customerId, trx);
        const found = await changeable(trx, customerId, id, nowMs);
        await entitlementRepository(trx).markDeleted(found.id, nowMs);
      }),
    override: (customerId, id, request) =>
      db.transaction(async (trx) => {
        await livingCustomer(deps, customerId, trx);
        const nowMs = await nowOf(deps, customerId, trx);
        const found = await changeable(trx, customerId, id, nowMs);
        if (request.feature.id !== found.featureId) {
          throw invalidBody(
            'feature.id',
            `must be the feature of the entitlement that is overridden: ${found.featureId}`,
          );
        }
        await entitlementRepository(trx).setActiveTo(id, nowMs, nowMs);
        return toBody(await insertNew(deps, customerId, request, trx, nowMs), deps, trx);
      }),
  };
}

/** The customer's now: those on a test clock live by their own. */
export async function nowOf({ clock }: EntitlementDeps, customerId: string, db: ControlDb): Promise<number> {
  return (await clockOf(db, clock, customerId)).nowMs();
}

/** The entitlement with this id. @param customerId whose it must be @throws RequestProblem 404 */
export async function entitlementOf(db: ControlDb, customerId: string | undefined, id: string): Promise<Entitlement> {
  const found = await entitlementRepository(db).byId(id);
  if (found === undefined || (customerId !== undefined && found.customerId !== customerId)) {
    throw entitlementNotFound(id);
  }
  return found;
}

/** @throws RequestProblem 404 @throws DomainProblem 409 when it was deleted */
async function livingCustomer({ getCustomer }: EntitlementDeps, id: string, db: ControlDb): Promise<void> {
  const customer = await getCustomer(id, db);
  if (customer.deleted_at !== undefined) throw customerDeleted(id, 'resource-conflict');
}

/** One that is in force and not a subscription's. */
async function changeable(db: ControlDb, customerId: string, id: string, atMs: number): Promise<Entitlement> {
  const found = await entitlementOf(db, customerId, id);
  if (!isInForceAt(found, atMs)) throw entitlementNotFound(id);
  if (found.source !== undefined) throw managedBySubscription(id, found.source.subscriptionId);
  return found;
}

async function insertNew(
  deps: EntitlementDeps,
  customerId: string,
  request: CreateEntitlement,
  trx: ControlDb,
  atMs: number,
): Promise<Entitlement> {
  const { newId, features } = deps;
  const repository = entitlementRepository(trx);
  const feature = (await features.findByIds([request.feature.id], trx)).get(request.feature.id);
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
    id: newId(),
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
  for (const grant of issueGrantOf(entitlement, newId(), atMs)) await repository.insertGrant(grant);
  const grants = request.type === 'metered' ? (request.grants ?? []) : [];
  for (const grant of grants) {
    await repository.insertGrant(grantOf(grant, { id: newId(), entitlementId: entitlement.id }, atMs));
  }
  return entitlement;
}

async function toBody(entitlement: Entitlement, deps: EntitlementDeps, db: ControlDb): Promise<EntitlementBody> {
  const [body] = await toBodies([entitlement], deps, db);
  if (body === undefined) throw new Error(`entitlement ${entitlement.id} has no body`);
  return body;
}

async function toBodies(
  entitlements: readonly Entitlement[],
  { clock, features }: EntitlementDeps,
  db: ControlDb,
): Promise<EntitlementBody[]> {
  const now = await nowByCustomer(db, clock);
  const stored = await entitlementRepository(db).withGrants(entitlements);
  const measured = new Map<string, Measured>(
    (await measuredOf(stored, { db, features })).map((one) => [one.stored.entitlement.id, one]),
  );
  return entitlements.map((one) => toEntitlementBody(one, measured.get(one.id), now.of(one.customerId)));
}
