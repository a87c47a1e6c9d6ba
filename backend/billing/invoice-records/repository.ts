import { sql } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { filterSql } from '../../platform/db/filter-sql.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { nullsSmallest } from '../../platform/db/ordering.ts';
import type { SearchedTable } from '../../platform/db/searched-table.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import { type InvoiceRow, toInvoice, toInvoiceRow } from './rows.ts';
import { COLLECTING } from './states.ts';
import type { Invoice } from './types.ts';

export type InvoiceSortField = 'created_at' | 'issued_at' | 'service_period_start';
export type InvoiceFilterField = 'status' | 'customer_id' | 'issued_at' | 'service_period_start' | 'created_at';

const COLUMNS = {
  status: 'short_status',
  customer_id: 'customer_id',
  issued_at: 'issued_at',
  service_period_start: 'service_from',
  created_at: 'created_at',
} as const;
const INSTANTS: ReadonlySet<InvoiceFilterField> = new Set(['issued_at', 'service_period_start', 'created_at']);
/** In the text of queries, so that SQLite finds its index of the others. */
const FINAL = sql<'paid' | 'voided' | 'deleted'>`('paid', 'voided', 'deleted')`;

interface TablesOfInvoices {
  invoices: InvoiceRow;
  gathering_invoices: { id: string; customer_id: string; currency: string; number: string; created_at: string };
}
type Tables = ReturnType<typeof withTables<TablesOfInvoices>>;

/** Standard invoices and gathering invoices. A handle lives as long as the transaction that it is made for. */
export function invoiceRepository(db: DbHandle) {
  const tables = withTables<TablesOfInvoices>(db);
  return {
    ...stored(tables),
    ...pages(tables),
    ...waking(tables),
    ...unfinished(tables),
    ...numbers(tables),
    ...gatherings(tables),
  };
}

function stored(tables: Tables) {
  return {
    insert: async (invoice: Invoice, wakeAtMs: number | undefined): Promise<void> => {
      await tables.insertInto('invoices').values(toInvoiceRow(invoice, wakeAtMs)).execute();
    },
    /** Stores the invoice as its next version. False when somebody else has changed it in between. */
    replace: async (invoice: Invoice, wakeAtMs: number | undefined): Promise<boolean> => {
      const { id, ...columns } = toInvoiceRow({ ...invoice, version: invoice.version + 1 }, wakeAtMs);
      const result = await tables
        .updateTable('invoices')
        .set(columns)
        .where('id', '=', id)
        .where('version', '=', invoice.version)
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows === 1n;
    },
    byId: async (id: string): Promise<Invoice | undefined> => {
      const row = await tables.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toInvoice(row);
    },
  };
}

function pages(tables: Tables) {
  return {
    /** Deleted invoices are left out. */
    page: async (
      filters: readonly FilterCondition<InvoiceFilterField>[],
      sort: Sort<InvoiceSortField>,
      page: PageRequest,
    ): Promise<{ invoices: Invoice[]; total: number }> => {
      let living = tables.selectFrom('invoices').where('deleted_at', 'is', null);
      for (const filter of filters) {
        const toColumn = INSTANTS.has(filter.field) ? toStoredInstant : undefined;
        living = living.where(filterExpression(COLUMNS[filter.field], filter, toColumn));
      }
      const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await living
        .selectAll()
        .orderBy(COLUMNS[sort.field], nullsSmallest(sort.direction))
        .orderBy('id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { invoices: rows.map(toInvoice), total: Number(total) };
    },
  };
}

/** What moves on by itself, and when. */
function waking(tables: Tables) {
  return {
    /** Invoices after one that a job has to look at by an instant, in the order of their ids. */
    toWake: async (kind: 'draft' | 'issued', untilMs: number, afterId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('invoices')
        .select('id')
        .where('wake_at', '<=', toStoredInstant(untilMs))
        .where('short_status', kind === 'draft' ? 'in' : 'not in', ['draft', 'issuing', 'delete'])
        .where('id', '>', afterId)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.id);
    },
    /** Those of one customer, in the order in which they fall due. */
    toWakeOf: async (customerId: string, untilMs: number): Promise<string[]> => {
      const own = tables.selectFrom('invoices').select('id').where('customer_id', '=', customerId);
      const due = own.where('wake_at', '<=', toStoredInstant(untilMs));
      return (await due.orderBy('wake_at').orderBy('id').execute()).map((row) => row.id);
    },
    /** Drafts of a customer that jobs move on. */
    movingDrafts: async (customerId: string, currency: string): Promise<Invoice[]> => {
      const own = tables.selectFrom('invoices').selectAll().where('customer_id', '=', customerId);
      const drafts = own.where('short_status', '=', 'draft').where('currency', '=', currency);
      const rows = await drafts.where('wake_at', 'is not', null).orderBy('id').execute();
      return rows.map(toInvoice);
    },
    /** Drafts of a customer whose quantities are not taken yet. */
    collecting: async (customerId: string): Promise<string[]> => {
      const drafts = tables.selectFrom('invoices').select('id').where('customer_id', '=', customerId);
      const waiting = drafts.where('status', 'in', COLLECTING);
      return (await waiting.orderBy('id').execute()).map(({ id }) => id);
    },
    /** The beginning of what is on the earliest draft. */
    earliestDraftMs: async (): Promise<number | undefined> => {
      const drafts = tables.selectFrom('invoices').where('short_status', '=', 'draft').where('status', 'not in', FINAL);
      const row = await drafts.select((eb) => eb.fn.min('service_from').as('at')).executeTakeFirst();
      return typeof row?.at === 'string' ? Date.parse(row.at) : undefined;
    },
  };
}

/** Invoices to which something can happen still. */
function unfinished(tables: Tables) {
  return {
    /** Ids of invoices that are not final: of a customer, a profile or an app. */
    open: async (
      of: { customerId?: string; profileId?: string; appId?: string },
      limit: number,
    ): Promise<{ id: string; number: string; customerId: string }[]> => {
      let open = tables.selectFrom('invoices').where('status', 'not in', FINAL);
      if (of.customerId !== undefined) open = open.where('customer_id', '=', of.customerId);
      if (of.profileId !== undefined) open = open.where('profile_id', '=', of.profileId);
      if (of.appId !== undefined) open = open.where('app_id', '=', of.appId);
      const rows = await open.select(['id', 'number', 'customer_id']).orderBy('id').limit(limit).execute();
      return rows.map(({ id, number, customer_id }) => ({ id, number, customerId: customer_id }));
    },
    customersWithOpen: async (): Promise<string[]> => {
      const rows = await tables
        .selectFrom('invoices')
        .select('customer_id')
        .distinct()
        .where('status', 'not in', FINAL)
        .execute();
      return rows.map((row) => row.customer_id);
    },
  };
}

function numbers(tables: Tables) {
  return {
    /** Whether an invoice has the number. */
    numberIsTaken: async (number: string): Promise<boolean> => {
      const row = await tables.selectFrom('invoices').select('id').where('number', '=', number).executeTakeFirst();
      return row !== undefined;
    },
  };
}

/** Invoices in the making. */
function gatherings(tables: Tables) {
  return {
    gathering: async (customerId: string, currency: string) => {
      const row = await tables
        .selectFrom('gathering_invoices')
        .selectAll()
        .where('customer_id', '=', customerId)
        .where('currency', '=', currency)
        .executeTakeFirst();
      return row && { id: row.id, number: row.number, createdAtMs: Date.parse(row.created_at) };
    },
    insertGathering: async (row: {
      id: string;
      customerId: string;
      currency: string;
      number: string;
      createdAtMs: number;
    }): Promise<void> => {
      const { id, customerId, currency, number, createdAtMs } = row;
      const created_at = toStoredInstant(createdAtMs);
      await tables
        .insertInto('gathering_invoices')
        .values({ id, customer_id: customerId, currency, number, created_at })
        .execute();
    },
    deleteGathering: async (customerId: string, currency: string): Promise<void> => {
      const own = tables.deleteFrom('gathering_invoices').where('customer_id', '=', customerId);
      await own.where('currency', '=', currency).execute();
    },
    gatheringCurrencies: async (customerId: string): Promise<string[]> => {
      const own = tables.selectFrom('gathering_invoices').where('customer_id', '=', customerId);
      return (await own.select('currency').orderBy('currency').execute()).map((row) => row.currency);
    },
  };
}

/** Invoices as a search finds them: by a part of their number. */
export const INVOICES_SEARCHED: SearchedTable = {
  table: 'invoices',
  living: 'deleted_at IS NULL',
  shows: { name: 'number', customerId: 'customer_id' },
  contain: [],
  // In the index of the numbers, and no more of them than a search shows: the rows themselves are large.
  also: (text) => {
    const { text: isIn, params } = filterSql('number', { field: 'number', operator: 'contains', values: [text] });
    return { text: `number IN (SELECT number FROM invoices WHERE ${isIn} ORDER BY number LIMIT 1001)`, params };
  },
};
