import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { CustomerTax, TaxRate, UpsertTaxRate } from './schema.ts';

interface RateRow {
  id: string;
  name: string;
  description: string | null;
  labels: string | null;
  country: string | null;
  customer_kind: string | null;
  tax_code_id: string | null;
  category: string;
  percentage: string;
  reason: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

interface CustomerTaxRow {
  customer_id: string;
  content: string;
  updated_at: string;
}

/** Tax rates, and what is known of customers for taxes. A handle lives as long as its transaction. */
export function taxRepository(db: DbHandle) {
  const tables = withTables<{ tax_rates: RateRow; customer_taxes: CustomerTaxRow }>(db);
  const living = tables.selectFrom('tax_rates').where('deleted_at', 'is', null);
  return {
    byId: async (id: string): Promise<TaxRate | undefined> => {
      const row = await tables.selectFrom('tax_rates').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toRate(row);
    },
    count: async (): Promise<number> => {
      const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      return Number(total);
    },
    /** Those that are not deleted, the oldest first. */
    living: async (): Promise<TaxRate[]> => (await living.selectAll().orderBy('id').execute()).map(toRate),
    page: async (page: PageRequest): Promise<TaxRate[]> => {
      const rows = living.selectAll().orderBy('id').limit(page.size);
      return (await rows.offset((page.number - 1) * page.size).execute()).map(toRate);
    },
    /** The rate that is for exactly the same. */
    sameScope: async (rate: UpsertTaxRate): Promise<string | undefined> => {
      const { country, customer_kind, tax_code } = scopeColumns(rate);
      const same = living
        .where('country', 'is', country)
        .where('customer_kind', 'is', customer_kind)
        .where('tax_code_id', 'is', tax_code);
      return (await same.select('id').executeTakeFirst())?.id;
    },
    insert: async (id: string, rate: UpsertTaxRate, atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      const row = { ...columnsOf(rate), id, created_at: at, updated_at: at, deleted_at: null };
      await tables.insertInto('tax_rates').values(row).execute();
    },
    replace: async (id: string, rate: UpsertTaxRate, atMs: number): Promise<void> => {
      const columns = { ...columnsOf(rate), updated_at: toStoredInstant(atMs) };
      await tables.updateTable('tax_rates').set(columns).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      await tables.updateTable('tax_rates').set({ deleted_at: at, updated_at: at }).where('id', '=', id).execute();
    },
    ofCustomer: async (customerId: string): Promise<CustomerTax | undefined> => {
      const own = tables.selectFrom('customer_taxes').select('content').where('customer_id', '=', customerId);
      const row = await own.executeTakeFirst();
      return row && (JSON.parse(row.content) as CustomerTax);
    },
    saveOfCustomer: async (customerId: string, tax: CustomerTax, atMs: number): Promise<void> => {
      const columns = { content: JSON.stringify(tax), updated_at: toStoredInstant(atMs) };
      await tables
        .insertInto('customer_taxes')
        .values({ customer_id: customerId, ...columns })
        .onConflict((conflict) => conflict.column('customer_id').doUpdateSet(columns))
        .execute();
    },
  };
}

function scopeColumns({ country, customer_kind, tax_code }: UpsertTaxRate) {
  return { country: country ?? null, customer_kind: customer_kind ?? null, tax_code: tax_code?.id ?? null };
}

function columnsOf(rate: UpsertTaxRate) {
  const { country, customer_kind, tax_code } = scopeColumns(rate);
  return {
    name: rate.name,
    description: rate.description ?? null,
    labels: rate.labels === undefined ? null : JSON.stringify(rate.labels),
    country,
    customer_kind,
    tax_code_id: tax_code,
    category: rate.category,
    percentage: rate.percentage,
    reason: rate.reason ?? null,
  };
}

function toRate(row: RateRow): TaxRate {
  return {
    id: row.id,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as Record<string, string> }),
    ...(row.country !== null && { country: row.country }),
    ...(row.customer_kind !== null && { customer_kind: row.customer_kind as 'business' | 'consumer' }),
    ...(row.tax_code_id !== null && { tax_code: { id: row.tax_code_id } }),
    category: row.category as TaxRate['category'],
    percentage: row.percentage,
    ...(row.reason !== null && { reason: row.reason }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
  };
}
