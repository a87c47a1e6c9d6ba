import { type DbHandle, withTables } from '../../../platform/db/handle.ts';
import { inLists } from '../../../platform/db/in-lists.ts';
import { toStoredInstant } from '../../../platform/instant.ts';

interface Tables {
  billing_customers: BillingCustomerRow;
  billing_open_subscriptions: { subscription_id: string; customer_id: string };
}

interface BillingCustomerRow {
  customer_id: string;
  synced_at: string | null;
  sync_at: string | null;
  recounted_at: string | null;
}

/** When the charges of customers are worked out. A handle lives as long as the transaction that it is made for. */
export function scheduleRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    /** When charges were last worked out, and when usage was last looked at again; undefined: never. */
    last: async (customerId: string): Promise<{ syncedAtMs?: number; recountedAtMs?: number }> => {
      const row = await tables
        .selectFrom('billing_customers')
        .select(['synced_at', 'recounted_at'])
        .where('customer_id', '=', customerId)
        .executeTakeFirst();
      return {
        ...(row?.synced_at != null && { syncedAtMs: Date.parse(row.synced_at) }),
        ...(row?.recounted_at != null && { recountedAtMs: Date.parse(row.recounted_at) }),
      };
    },
    /** @param nextAtMs undefined: never by itself */
    setSynced: async (customerId: string, atMs: number, nextAtMs: number | undefined): Promise<void> => {
      const columns = {
        synced_at: toStoredInstant(atMs),
        sync_at: nextAtMs === undefined ? null : toStoredInstant(nextAtMs),
      };
      await tables
        .insertInto('billing_customers')
        .values({ customer_id: customerId, recounted_at: null, ...columns })
        .onConflict((conflict) => conflict.column('customer_id').doUpdateSet(columns))
        .execute();
    },
    /** Subscriptions of which more charges are to come by themselves. */
    openSubscriptions: async (customerId: string): Promise<string[]> => {
      const own = tables.selectFrom('billing_open_subscriptions').where('customer_id', '=', customerId);
      return (await own.select('subscription_id').orderBy('subscription_id').execute()).map(
        (row) => row.subscription_id,
      );
    },
    setOpen: async (customerId: string, subscriptionId: string, isOpen: boolean): Promise<void> => {
      if (isOpen) {
        const row = { subscription_id: subscriptionId, customer_id: customerId };
        const insert = tables.insertInto('billing_open_subscriptions').values(row);
        await insert.onConflict((conflict) => conflict.column('subscription_id').doNothing()).execute();
      } else {
        await tables.deleteFrom('billing_open_subscriptions').where('subscription_id', '=', subscriptionId).execute();
      }
    },
    /** Notes that usage was looked at again. */
    setRecounted: async (customerId: string, atMs: number): Promise<void> => {
      const columns = { recounted_at: toStoredInstant(atMs) };
      await tables
        .insertInto('billing_customers')
        .values({ customer_id: customerId, synced_at: null, sync_at: null, ...columns })
        .onConflict((conflict) => conflict.column('customer_id').doUpdateSet(columns))
        .execute();
    },
    /** Those of the customers whose charges are due to be worked out. @param nowOf each customer's own instant */
    dueAmong: async (customerIds: readonly string[], nowOf: (customerId: string) => number): Promise<string[]> => {
      const planned = tables.selectFrom('billing_customers').select(['customer_id', 'sync_at']);
      const rows = await inLists(customerIds, (list) =>
        planned.where('customer_id', 'in', list).where('sync_at', 'is not', null).execute(),
      );
      const isDue = (row: (typeof rows)[number]) => Date.parse(row.sync_at ?? '') <= nowOf(row.customer_id);
      return rows.filter(isDue).map((row) => row.customer_id);
    },
    /** Customers after one whose charges are due to be worked out, in the order of their ids. */
    due: async (atMs: number, afterId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('billing_customers')
        .select('customer_id')
        .where('sync_at', '<=', toStoredInstant(atMs))
        .where('customer_id', '>', afterId)
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
  };
}
