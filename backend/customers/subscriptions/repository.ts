import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces } from '../../platform/db/in-lists.ts';
import { nullsSmallest } from '../../platform/db/ordering.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { Period } from '../../platform/period/index.ts';
import { type NowByCustomer, storedNow } from '../test-clocks/index.ts';
import type { OverlappingItem } from './errors.ts';
import {
  type AddonRow,
  fromRows,
  type ItemRow,
  instantMs,
  type SubscriptionRow,
  toAddonRow,
  toItemRow,
  toMs,
  toSubscriptionRow,
} from './rows.ts';
import type { SubscriptionFilterField, SubscriptionSortField } from './schema.ts';
import type { Subscription } from './types.ts';

interface Tables {
  subscriptions: SubscriptionRow;
  subscription_items: ItemRow;
  subscription_addons: AddonRow;
  subscription_changes: { subscription_id: string; customer_id: string; revision: number };
}

/** A subscription that has changed, as often as its revision says. */
export interface SubscriptionChange {
  subscriptionId: string;
  revision: number;
}

type Selection = SelectQueryBuilder<Tables, 'subscriptions', SubscriptionRow>;

/**
 * The keys of the plans that a customer is subscribed to, or will be, as a SELECT over the table `customers`: for the
 * filter of the customer list. @param realMs now, for customers without a test clock
 */
export function planKeysOfCustomerSql(realMs: number): string {
  const now = `coalesce((SELECT now_at FROM test_clocks WHERE test_clocks.customer_id = customers.id), '${toStoredInstant(realMs)}')`;
  return (
    'SELECT own.plan_key AS value FROM subscriptions AS own WHERE own.customer_id = customers.id ' +
    `AND own.deleted_at IS NULL AND (own.active_to IS NULL OR own.active_to > ${now})`
  );
}

/** Stored subscriptions. A handle lives as long as the transaction that it is made for. */
export function subscriptionRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  const all = () => tables.selectFrom('subscriptions').selectAll();
  const living = () => all().where('deleted_at', 'is', null);
  return {
    insert: async (subscription: Subscription): Promise<void> => {
      await tables.insertInto('subscriptions').values(toSubscriptionRow(subscription)).execute();
      await writeParts(tables, subscription);
      await noteChange(tables, subscription);
    },
    update: async (subscription: Subscription): Promise<void> => {
      const row = toSubscriptionRow(subscription);
      await tables.updateTable('subscriptions').set(row).where('id', '=', subscription.id).execute();
      await writeParts(tables, subscription);
      await noteChange(tables, subscription);
    },
    /** A customer's subscriptions that have changed and were not followed yet; deleted ones too. */
    changes: async (customerId: string): Promise<SubscriptionChange[]> => {
      const own = tables.selectFrom('subscription_changes').where('customer_id', '=', customerId);
      const rows = await own.select(['subscription_id', 'revision']).orderBy('subscription_id').execute();
      return rows.map(({ subscription_id, revision }) => ({ subscriptionId: subscription_id, revision }));
    },
    /** Forgets changes that were followed. What has changed once more since they were read stays. */
    followed: async (changes: readonly SubscriptionChange[]): Promise<void> => {
      for (const { subscriptionId, revision } of changes) {
        const own = tables.deleteFrom('subscription_changes').where('subscription_id', '=', subscriptionId);
        await own.where('revision', '=', revision).execute();
      }
    },
    /** Deleted ones too. */
    byId: async (id: string): Promise<Subscription | undefined> =>
      (await read(tables, all().where('id', '=', id))).at(0),
    /** Whose it is; of deleted ones too. */
    customerOf: async (id: string): Promise<string | undefined> => {
      const own = tables.selectFrom('subscriptions').where('id', '=', id);
      return (await own.select('customer_id').executeTakeFirst())?.customer_id;
    },
    /** Deleted ones too; unknown ids are absent. */
    byIds: (ids: readonly string[]): Promise<Subscription[]> =>
      inLists(ids, (list) => read(tables, all().where('id', 'in', list))),
    /** A customer's, but for deleted ones and those that ended before the instant, oldest first. */
    ofCustomer: (customerId: string, endingAfterMs: number): Promise<Subscription[]> =>
      read(tables, endingAfter(living().where('customer_id', '=', customerId), endingAfterMs)),
    /** Ids of a customer's that have not ended, and those that are yet to begin. */
    openIds: async (customerId: string, nowMs: number): Promise<string[]> => {
      const open = endingAfter(living().where('customer_id', '=', customerId), nowMs);
      return (await open.orderBy('active_from').execute()).map((row) => row.id);
    },
    /**
     * Those in force at some time within the period, and those that ended at its very beginning, be it at the instant at
     * which they began: who follows subscriptions from one instant to the next would never hear of their end otherwise.
     * @param customerIds undefined: of every customer
     */
    within: async (customerIds: readonly string[] | undefined, period: Period): Promise<Subscription[]> => {
      const [from, to] = [toStoredInstant(period.fromMs), toStoredInstant(period.toMs)];
      const inForce = () =>
        living()
          .where('active_from', '<', to)
          .where((eb) => eb.or([eb('active_to', 'is', null), eb('active_to', '>=', from)]));
      if (customerIds === undefined) return read(tables, inForce());
      return inLists(customerIds, (list) => read(tables, inForce().where('customer_id', 'in', list)));
    },
    /** Customers who have, or had, a subscription, by id. */
    customerIds: async (afterId: string | undefined, limit: number): Promise<string[]> => {
      const customers = tables.selectFrom('subscriptions').select('customer_id').distinct();
      const rows = await customers
        .where('deleted_at', 'is', null)
        .$if(afterId !== undefined, (query) => query.where('customer_id', '>', afterId ?? ''))
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
    /** Priced items and entitlements of a customer's other subscriptions that end after the instant. */
    exclusiveItems: (customerId: string, exceptIds: readonly string[], endingAfterMs: number) =>
      readExclusiveItems(tables, customerId, exceptIds, endingAfterMs),
    page: (
      filters: readonly FilterCondition<SubscriptionFilterField>[],
      sort: Sort<SubscriptionSortField>,
      page: PageRequest,
      now: NowByCustomer,
    ) => readPage(tables, filters, sort, page, now),
  };
}

function endingAfter(selection: Selection, atMs: number): Selection {
  return selection.where((eb) => eb.or([eb('active_to', 'is', null), eb('active_to', '>', toStoredInstant(atMs))]));
}

async function writeParts(tables: Kysely<Tables>, subscription: Subscription): Promise<void> {
  const { id } = subscription;
  await tables.deleteFrom('subscription_items').where('subscription_id', '=', id).execute();
  const items = subscription.items.map((item, position) => toItemRow(id, item, position));
  await inPieces(items, (piece) => tables.insertInto('subscription_items').values(piece).execute());
  for (const bought of subscription.addons) {
    const row = toAddonRow(id, bought);
    const { timeline, name, description, labels, rate_cards, updated_at } = row;
    const changed = { timeline, name, description, labels, rate_cards, updated_at };
    const statement = tables.insertInto('subscription_addons').values(row);
    await statement.onConflict((conflict) => conflict.column('id').doUpdateSet(changed)).execute();
  }
}

async function noteChange(tables: Kysely<Tables>, { id, customerId }: Subscription): Promise<void> {
  const first = tables.insertInto('subscription_changes').values({
    subscription_id: id,
    customer_id: customerId,
    revision: 1,
  });
  await first
    .onConflict((conflict) =>
      conflict.column('subscription_id').doUpdateSet((eb) => ({
        revision: eb('subscription_changes.revision', '+', 1),
      })),
    )
    .execute();
}

async function read(tables: Kysely<Tables>, selection: Selection): Promise<Subscription[]> {
  const rows = await selection.orderBy('active_from').orderBy('id').execute();
  return withParts(tables, rows);
}

async function withParts(tables: Kysely<Tables>, rows: readonly SubscriptionRow[]): Promise<Subscription[]> {
  const ids = rows.map((row) => row.id);
  const items = await inLists(ids, (list) =>
    tables
      .selectFrom('subscription_items')
      .selectAll()
      .where('subscription_id', 'in', list)
      .orderBy('position')
      .execute(),
  );
  const addons = await inLists(ids, (list) =>
    tables.selectFrom('subscription_addons').selectAll().where('subscription_id', 'in', list).orderBy('id').execute(),
  );
  const itemsById = Map.groupBy(items, (item) => item.subscription_id);
  const addonsById = Map.groupBy(addons, (addon) => addon.subscription_id);
  return rows.map((row) => fromRows(row, itemsById.get(row.id) ?? [], addonsById.get(row.id) ?? []));
}

async function readExclusiveItems(
  tables: Kysely<Tables>,
  customerId: string,
  exceptIds: readonly string[],
  endingAfterMs: number,
): Promise<(OverlappingItem & { featureId: string | null })[]> {
  const rows = await tables
    .selectFrom('subscription_items as item')
    .innerJoin('subscriptions as own', 'own.id', 'item.subscription_id')
    .select(['own.id', 'own.name', 'item.item_key', 'item.feature_id', 'item.active_from', 'item.active_to'])
    .where('own.customer_id', '=', customerId)
    .where('own.deleted_at', 'is', null)
    .where('item.is_removed', '=', 0)
    .where('item.is_exclusive', '=', 1)
    .where((eb) => eb.or([eb('item.active_to', 'is', null), eb('item.active_to', '>', toStoredInstant(endingAfterMs))]))
    .orderBy('item.active_from')
    .execute();
  const except = new Set(exceptIds);
  const others = rows.filter(({ id }) => !except.has(id));
  return others.map((row) => ({
    subscriptionId: row.id,
    subscriptionName: row.name,
    itemKey: row.item_key,
    featureId: row.feature_id,
    fromMs: instantMs(row.active_from),
    toMs: toMs(row.active_to),
  }));
}

async function readPage(
  tables: Kysely<Tables>,
  filters: readonly FilterCondition<SubscriptionFilterField>[],
  sort: Sort<SubscriptionSortField>,
  page: PageRequest,
  now: NowByCustomer,
): Promise<{ subscriptions: Subscription[]; total: number }> {
  const withStatus = tables
    .selectFrom('subscriptions')
    .selectAll()
    .select(statusExpression(now).as('status'))
    .where('deleted_at', 'is', null);
  let matching = tables.selectFrom(withStatus.as('own'));
  for (const filter of filters) matching = matching.where(filterExpression(`own.${filter.field}`, filter));
  const { total } = await matching.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await matching
    .selectAll('own')
    .orderBy(`own.${sort.field}`, nullsSmallest(sort.direction))
    .orderBy('own.id', sort.direction)
    .limit(page.size)
    .offset((page.number - 1) * page.size)
    .execute();
  return { subscriptions: await withParts(tables, rows), total: Number(total) };
}

/** The status as `statusAt` tells it, each customer at its own now. */
function statusExpression(now: NowByCustomer) {
  const at = storedNow(now);
  return sql<string>`CASE WHEN active_from > ${at} THEN 'scheduled' WHEN active_to IS NULL THEN 'active'
    WHEN active_to > ${at} THEN 'canceled' ELSE 'inactive' END`;
}

/** Subscriptions as a search finds them: by their id, for thousands have the same name. */
export const SUBSCRIPTIONS_SEARCHED: SearchedTable = {
  table: 'subscriptions',
  living: 'deleted_at IS NULL',
  shows: { name: 'name', customerId: 'customer_id' },
  contain: [],
};
