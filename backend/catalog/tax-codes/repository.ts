import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { DefaultTaxCodes, TaxCode, UpsertTaxCode } from './schema.ts';

interface TaxCodeRow {
  id: string;
  key: string;
  name: string;
  description: string | null;
  labels: string | null;
  app_mappings: string;
  is_managed_by_system: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

interface DefaultsRow {
  id: number;
  invoicing_tax_code_id: string;
  credit_grant_tax_code_id: string;
  created_at: string;
  updated_at: string;
}

interface Tables {
  tax_codes: TaxCodeRow;
  organization_default_tax_codes: DefaultsRow;
}

/** A tax code, and whether it may be changed. */
export interface StoredTaxCode {
  taxCode: TaxCode;
  isManagedBySystem: boolean;
}

/** Stored tax codes and the organization's defaults. */
export function taxCodeRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  const taxCodes = () => tables.selectFrom('tax_codes').selectAll();
  return {
    /** Deleted ones too; unknown ids are absent. */
    byIds: async (ids: readonly string[]): Promise<StoredTaxCode[]> =>
      (await inLists(ids, (list) => taxCodes().where('id', 'in', list).execute())).map(toStored),
    livingByKey: async (key: string): Promise<TaxCode | undefined> => {
      const row = await taxCodes().where('key', '=', key).where('deleted_at', 'is', null).executeTakeFirst();
      return row && toTaxCode(row);
    },
    page: async (includeDeleted: boolean, page: PageRequest): Promise<{ taxCodes: TaxCode[]; total: number }> => {
      const all = tables.selectFrom('tax_codes').$if(!includeDeleted, (query) => query.where('deleted_at', 'is', null));
      const { total } = await all.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await all
        .selectAll()
        .orderBy('id')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { taxCodes: rows.map(toTaxCode), total };
    },
    insert: async (taxCode: TaxCode): Promise<void> => {
      const { id, key, created_at, updated_at } = taxCode;
      const row: TaxCodeRow = {
        id,
        key,
        ...toChangeableColumns(taxCode),
        is_managed_by_system: 0,
        created_at: toStoredInstant(created_at),
        updated_at: toStoredInstant(updated_at),
        deleted_at: null,
      };
      await tables.insertInto('tax_codes').values(row).execute();
    },
    replace: async (id: string, values: UpsertTaxCode, updatedAtMs: number): Promise<void> => {
      const columns = { ...toChangeableColumns(values), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('tax_codes').set(columns).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, deletedAtMs: number): Promise<void> => {
      const at = toStoredInstant(deletedAtMs);
      await tables.updateTable('tax_codes').set({ deleted_at: at, updated_at: at }).where('id', '=', id).execute();
    },
    defaults: async (): Promise<DefaultTaxCodes> => {
      const row = await tables.selectFrom('organization_default_tax_codes').selectAll().executeTakeFirstOrThrow();
      return {
        invoicing_tax_code: { id: row.invoicing_tax_code_id },
        credit_grant_tax_code: { id: row.credit_grant_tax_code_id },
        created_at: fromStoredInstant(row.created_at),
        updated_at: fromStoredInstant(row.updated_at),
      };
    },
    setDefaults: async (invoicingId: string, creditGrantId: string, updatedAtMs: number): Promise<void> => {
      const values = {
        invoicing_tax_code_id: invoicingId,
        credit_grant_tax_code_id: creditGrantId,
        updated_at: toStoredInstant(updatedAtMs),
      };
      await tables.updateTable('organization_default_tax_codes').set(values).execute();
    },
  };
}

function toChangeableColumns(values: UpsertTaxCode) {
  return {
    name: values.name,
    description: values.description ?? null,
    labels: values.labels === undefined ? null : JSON.stringify(values.labels),
    app_mappings: JSON.stringify(values.app_mappings),
  };
}

function toStored(row: TaxCodeRow): StoredTaxCode {
  return { taxCode: toTaxCode(row), isManagedBySystem: row.is_managed_by_system === 1 };
}

function toTaxCode(row: TaxCodeRow): TaxCode {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as Record<string, string> }),
    app_mappings: JSON.parse(row.app_mappings) as TaxCode['app_mappings'],
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
  };
}
