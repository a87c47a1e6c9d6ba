import type { Kysely, RawBuilder } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import { nullsSmallest } from '../../platform/db/ordering.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import { type NowByCustomer, storedNow } from '../test-clocks/index.ts';
import {
  type EntitlementRow,
  fromEntitlementRow,
  fromGrantRow,
  fromResetRow,
  type GrantRow,
  type ResetRow,
  toEntitlementRow,
  toGrantRow,
  toResetRow,
} from './rows.ts';
import type { EntitlementFilterField, EntitlementSortField, GrantFilterField, GrantSortField } from './schema.ts';
import type { Entitlement, EntitlementWithGrants, Reset, StoredGrant } from './types.ts';

interface Tables {
  entitlements: EntitlementRow;
  entitlement_grants: GrantRow;
  entitlement_resets: ResetRow;
}

/** Stored entitlements with their grants and resets. A handle lives as long as the transaction that it is made for. */
export function entitlementRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  const entitlements = () => tables.selectFrom('entitlements').selectAll();
  return {
    insert: async (entitlement: Entitlement): Promise<void> => {
      await tables.insertInto('entitlements').values(toEntitlementRow(entitlement)).execute();
    },
    /** Ended ones too. */
    byId: async (id: string): Promise<Entitlement | undefined> => {
      const row = await entitlements().where('id', '=', id).executeTakeFirst();
      return row && fromEntitlementRow(row);
    },
    /** In force at the instant, of these customers. @param featureKeys undefined: all */
    inForce: (customerIds: readonly string[], featureKeys: readonly string[] | undefined, atMs: number) =>
      inLists(customerIds, async (list) => {
        const own = inForceAt(tables, toStoredInstant(atMs)).where('customer_id', 'in', list);
        const inOrder = own.selectAll().orderBy('feature_key');
        const rows =
          featureKeys === undefined
            ? await inOrder.execute()
            : await inLists([...featureKeys].sort(), (keyList) =>
                inOrder.where('feature_key', 'in', keyList).execute(),
              );
        return rows.map(fromEntitlementRow);
      }),
    /** In force at each customer's now and measured, in the order of their ids. */
    measuredPage: async (afterId: string, limit: number, now: NowByCustomer): Promise<Entitlement[]> => {
      const measured = inForceAt(tables, storedNow(now)).where('type', '=', 'metered').where('id', '>', afterId);
      return (await measured.selectAll().orderBy('id').limit(limit).execute()).map(fromEntitlementRow);
    },
    /** Those of the customer and feature that share any time with [from, to). */
    overlapping: async (customerId: string, featureKey: string, fromMs: number, toMs: number | undefined) => {
      let query = entitlements().where('customer_id', '=', customerId).where('feature_key', '=', featureKey);
      const from = toStoredInstant(fromMs);
      query = query.where((eb) => eb.or([eb('active_to', 'is', null), eb('active_to', '>', from)]));
      query = query.where((eb) => eb.or([eb('deleted_at', 'is', null), eb('deleted_at', '>', from)]));
      if (toMs !== undefined) query = query.where('active_from', '<', toStoredInstant(toMs));
      // One that ended when it began is in nobody's way.
      const rows = await query.orderBy('active_from').execute();
      return rows.map(fromEntitlementRow).filter((found) => (found.activeToMs ?? Infinity) > found.activeFromMs);
    },
    ofSubscription: async (subscriptionId: string): Promise<Entitlement[]> => {
      const own = entitlements().where('subscription_id', '=', subscriptionId);
      return (await own.orderBy('active_from').orderBy('id').execute()).map(fromEntitlementRow);
    },
    /** The subscriptions that entitlements of the customer come from and that have not ended. */
    subscriptionsOf: async (customerId: string): Promise<string[]> => {
      const own = tables.selectFrom('entitlements').where('customer_id', '=', customerId);
      const rows = await own.where('subscription_id', 'is not', null).select('subscription_id').distinct().execute();
      return rows.flatMap(({ subscription_id }) => subscription_id ?? []);
    },
    page: (
      filters: readonly FilterCondition<EntitlementFilterField>[],
      sort: Sort<EntitlementSortField>,
      page: PageRequest,
      now: NowByCustomer,
    ) => readPage(tables, filters, sort, page, now),
    setActiveTo: async (id: string, activeToMs: number | undefined, updatedAtMs: number): Promise<void> => {
      const active_to = activeToMs === undefined ? null : toStoredInstant(activeToMs);
      const values = { active_to, updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('entitlements').set(values).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, deletedAtMs: number): Promise<void> => {
      const at = toStoredInstant(deletedAtMs);
      const values = { deleted_at: at, updated_at: at };
      await tables.updateTable('entitlements').set(values).where('id', '=', id).execute();
    },
    insertReset: async (reset: Reset): Promise<void> => {
      await tables.insertInto('entitlement_resets').values(toResetRow(reset)).execute();
    },
    /** With all that their balances depend on. */
    withGrants: (found: readonly Entitlement[]) => withGrants(tables, found),
    hasAny: async (customerId: string, atMs: number): Promise<boolean> => {
      const found = await inForceAt(tables, toStoredInstant(atMs))
        .where('customer_id', '=', customerId)
        .select('id')
        .executeTakeFirst();
      return found !== undefined;
    },
    ...grantTable(tables),
  };
}

/** Which grants a list has. */
export interface GrantScope {
  /** undefined: of all entitlements. */
  readonly entitlementId: string | undefined;
  /** Whether those of deleted entitlements are among them. */
  readonly includesDeleted: boolean;
}

function grantTable(tables: Kysely<Tables>) {
  return {
    insertGrant: async (grant: StoredGrant): Promise<void> => {
      await tables.insertInto('entitlement_grants').values(toGrantRow(grant)).execute();
    },
    grantById: async (id: string): Promise<StoredGrant | undefined> => {
      const row = await tables.selectFrom('entitlement_grants').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromGrantRow(row);
    },
    voidGrant: async (id: string, voidedAtMs: number, updatedAtMs: number): Promise<void> => {
      const values = { voided_at: toStoredInstant(voidedAtMs), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('entitlement_grants').set(values).where('id', '=', id).execute();
    },
    /** One page of grants, voided and expired ones too. */
    grantPage: async (
      { entitlementId, includesDeleted }: GrantScope,
      filters: readonly FilterCondition<GrantFilterField>[],
      sort: Sort<GrantSortField>,
      page: PageRequest,
    ): Promise<{ grants: StoredGrant[]; total: number }> => {
      let query = tables
        .selectFrom('entitlement_grants')
        .innerJoin('entitlements', 'entitlements.id', 'entitlement_grants.entitlement_id');
      if (entitlementId !== undefined) query = query.where('entitlement_grants.entitlement_id', '=', entitlementId);
      if (!includesDeleted) query = query.where('entitlements.deleted_at', 'is', null);
      for (const filter of filters) query = query.where(filterExpression(`entitlements.${filter.field}`, filter));
      const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await query
        .selectAll('entitlement_grants')
        .orderBy(`entitlement_grants.${sort.field}`, nullsSmallest(sort.direction))
        .orderBy('entitlement_grants.id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { grants: rows.map(fromGrantRow), total: Number(total) };
    },
  };
}

function inForceAt(tables: Kysely<Tables>, at: string | RawBuilder<string>) {
  return tables
    .selectFrom('entitlements')
    .where('active_from', '<=', at)
    .where((eb) => eb.or([eb('active_to', 'is', null), eb('active_to', '>', at)]))
    .where((eb) => eb.or([eb('deleted_at', 'is', null), eb('deleted_at', '>', at)]));
}

async function readPage(
  tables: Kysely<Tables>,
  filters: readonly FilterCondition<EntitlementFilterField>[],
  sort: Sort<EntitlementSortField>,
  page: PageRequest,
  now: NowByCustomer,
): Promise<{ entitlements: Entitlement[]; total: number }> {
  let query = inForceAt(tables, storedNow(now));
  for (const filter of filters) query = query.where(filterExpression(filter.field, filter));
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy(sort.field, sort.direction)
    .orderBy('id', sort.direction)
    .limit(page.size)
    .offset((page.number - 1) * page.size)
    .execute();
  return { entitlements: rows.map(fromEntitlementRow), total: Number(total) };
}

async function withGrants(tables: Kysely<Tables>, found: readonly Entitlement[]): Promise<EntitlementWithGrants[]> {
  const metered = found.filter(({ terms }) => terms.type === 'metered').map(({ id }) => id);
  const grants = await inLists(metered, async (list) => {
    const query = tables.selectFrom('entitlement_grants').selectAll().where('entitlement_id', 'in', list);
    return (await query.orderBy('id').execute()).map(fromGrantRow);
  });
  const resets = await inLists(metered, async (list) => {
    const query = tables.selectFrom('entitlement_resets').selectAll().where('entitlement_id', 'in', list);
    return (await query.orderBy('effective_at').execute()).map(fromResetRow);
  });
  const grantsById = Map.groupBy(grants, ({ entitlementId }) => entitlementId);
  const resetsById = Map.groupBy(resets, ({ entitlementId }) => entitlementId);
  return found.map((entitlement) => ({
    entitlement,
    grants: grantsById.get(entitlement.id) ?? [],
    resets: resetsById.get(entitlement.id) ?? [],
  }));
}
