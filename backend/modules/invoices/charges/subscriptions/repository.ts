import { type ControlDb, withTables } from '../../../../platform/db/control-db.ts';
import { toStoredInstant } from '../../../../platform/instant.ts';

interface BillingSubscriptionRow {
  subscription_id: string;
  customer_id: string;
  sync_at: string | null;
  synced_to: string | null;
}

/** A subscription whose charges are due to be looked at. */
export interface DueSubscription {
  id: string;
  customerId: string;
}

/** When the charges of subscriptions are looked at. A handle lives as long as the transaction that it is made for. */
export function billingSubscriptionRepository(db: ControlDb) {
  const tables = withTables<{ billing_subscriptions: BillingSubscriptionRow }>(db);
  return {
    /** @param syncAtMs undefined: no more */
    setSync: async (subscription: DueSubscription, syncAtMs: number | undefined): Promise<void> => {
      const sync_at = syncAtMs === undefined ? null : toStoredInstant(syncAtMs);
      await tables
        .insertInto('billing_subscriptions')
        .values({ subscription_id: subscription.id, customer_id: subscription.customerId, sync_at, synced_to: null })
        .onConflict((conflict) => conflict.column('subscription_id').doUpdateSet({ sync_at }))
        .execute();
    },
    ofCustomer: async (customerId: string): Promise<string[]> => {
      const own = tables.selectFrom('billing_subscriptions').where('customer_id', '=', customerId);
      return (await own.select('subscription_id').orderBy('subscription_id').execute()).map(
        (row) => row.subscription_id,
      );
    },
    dueOfCustomer: async (customerId: string, atMs: number): Promise<string[]> => {
      const own = tables.selectFrom('billing_subscriptions').where('customer_id', '=', customerId);
      const due = own.where('sync_at', '<=', toStoredInstant(atMs)).select('subscription_id');
      return (await due.orderBy('subscription_id').execute()).map((row) => row.subscription_id);
    },
    /** Customers after one with subscriptions that are due, in the order of their ids. */
    customersDue: async (atMs: number, afterId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('billing_subscriptions')
        .select('customer_id')
        .distinct()
        .where('sync_at', '<=', toStoredInstant(atMs))
        .where('customer_id', '>', afterId)
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
  };
}
