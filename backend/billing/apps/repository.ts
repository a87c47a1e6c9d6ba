import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import { catalogItem } from './catalog.ts';
import type { App, UpdateApp } from './schema.ts';

interface AppRow {
  id: string;
  type: App['type'];
  name: string;
  description: string | null;
  labels: string | null;
  enable_draft_sync_hook: number;
  enable_issuing_sync_hook: number;
  is_built_in: number;
  content: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** The account of a payment system that an app works with. */
export interface AppAccount {
  accountId: string;
  livemode: boolean;
  maskedApiKey: string;
  /** `unauthorized`: its key is not taken any more. */
  status: App['status'];
}

/** Installed apps. A handle lives as long as the transaction that it is made for. */
export function appRepository(db: DbHandle) {
  const tables = withTables<{ apps: AppRow }>(db);
  const living = tables.selectFrom('apps').where('deleted_at', 'is', null);
  return {
    insert: async (app: {
      id: string;
      type: AppRow['type'];
      name: string;
      account?: AppAccount;
      createdAtMs: number;
    }): Promise<void> => {
      const at = toStoredInstant(app.createdAtMs);
      await tables
        .insertInto('apps')
        .values({
          id: app.id,
          type: app.type,
          name: app.name,
          description: null,
          labels: null,
          enable_draft_sync_hook: 0,
          enable_issuing_sync_hook: 0,
          is_built_in: 0,
          content: app.account === undefined ? null : JSON.stringify(app.account),
          created_at: at,
          updated_at: at,
          deleted_at: null,
        })
        .execute();
    },
    /** Uninstalled ones too. */
    byId: async (id: string): Promise<App | undefined> => {
      const row = await tables.selectFrom('apps').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toApp(row);
    },
    isBuiltIn: async (id: string): Promise<boolean> =>
      (await living.select('id').where('id', '=', id).where('is_built_in', '=', 1).executeTakeFirst()) !== undefined,
    page: async (page: PageRequest): Promise<{ apps: App[]; total: number }> => {
      const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await living
        .selectAll()
        .orderBy('id')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { apps: rows.map(toApp), total: Number(total) };
    },
    replace: async (id: string, values: UpdateApp, updatedAtMs: number): Promise<void> => {
      await tables
        .updateTable('apps')
        .set({
          name: values.name,
          description: values.description ?? null,
          labels: values.labels === undefined ? null : JSON.stringify(values.labels),
          ...(values.type === 'external_invoicing' && {
            enable_draft_sync_hook: values.enable_draft_sync_hook ? 1 : 0,
            enable_issuing_sync_hook: values.enable_issuing_sync_hook ? 1 : 0,
          }),
          updated_at: toStoredInstant(updatedAtMs),
        })
        .where('id', '=', id)
        .execute();
    },
    saveAccount: async (id: string, account: AppAccount, updatedAtMs: number): Promise<void> => {
      const columns = { content: JSON.stringify(account), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('apps').set(columns).where('id', '=', id).execute();
    },
    /** Living apps of a type: an operator has a handful. */
    ofType: async (type: AppRow['type'], limit: number): Promise<App[]> =>
      (await living.selectAll().where('type', '=', type).orderBy('id').limit(limit).execute()).map(toApp),
    markDeleted: async (id: string, deletedAtMs: number): Promise<void> => {
      const at = toStoredInstant(deletedAtMs);
      await tables.updateTable('apps').set({ deleted_at: at, updated_at: at }).where('id', '=', id).execute();
    },
  };
}

function toApp(row: AppRow): App {
  const definition = catalogItem(row.type);
  const common = {
    id: row.id,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as App['labels'] }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
    definition,
    status: 'ready' as const,
  };
  if (row.type === 'sandbox') return { ...common, type: 'sandbox' };
  if (row.type === 'stripe') {
    const { accountId, livemode, maskedApiKey, status } = JSON.parse(row.content ?? '{}') as AppAccount;
    return { ...common, type: 'stripe', account_id: accountId, livemode, masked_api_key: maskedApiKey, status };
  }
  return {
    ...common,
    type: 'external_invoicing',
    enable_draft_sync_hook: row.enable_draft_sync_hook === 1,
    enable_issuing_sync_hook: row.enable_issuing_sync_hook === 1,
  };
}
