import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';

interface Tables {
  app_secrets: { app_id: string; name: string; sealed: string };
  app_webhook_events: { app_id: string; event_id: string; type: string; received_at: string };
}

/** Secrets of apps and the events that have come. A handle lives as long as the transaction that it is made for. */
export function stripeRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    secret: async (appId: string, name: string): Promise<string | undefined> => {
      const own = tables.selectFrom('app_secrets').select('sealed').where('app_id', '=', appId);
      return (await own.where('name', '=', name).executeTakeFirst())?.sealed;
    },
    saveSecret: async (appId: string, name: string, sealed: string): Promise<void> => {
      await tables
        .insertInto('app_secrets')
        .values({ app_id: appId, name, sealed })
        .onConflict((conflict) => conflict.columns(['app_id', 'name']).doUpdateSet({ sealed }))
        .execute();
    },
    deleteSecrets: async (appId: string): Promise<void> => {
      await tables.deleteFrom('app_secrets').where('app_id', '=', appId).execute();
    },
    /** @returns false when it has come before */
    takeEvent: async (appId: string, event: { id: string; type: string }, atMs: number): Promise<boolean> => {
      const row = { app_id: appId, event_id: event.id, type: event.type, received_at: toStoredInstant(atMs) };
      const result = await tables
        .insertInto('app_webhook_events')
        .values(row)
        .onConflict((conflict) => conflict.columns(['app_id', 'event_id']).doNothing())
        .executeTakeFirstOrThrow();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    /** Stripe repeats an event for three days. */
    forgetEventsBefore: async (atMs: number): Promise<void> => {
      await tables.deleteFrom('app_webhook_events').where('received_at', '<', toStoredInstant(atMs)).execute();
    },
  };
}
