import { sql } from 'kysely';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { eachList, inLists, inPieces } from '../../platform/db/in-lists.ts';
import { groupedBy } from '../../platform/grouped-by.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import { type ChargeRow, contentColumns, toCharge, toRow } from './rows.ts';
import type { Charge, WantedCharge } from './types.ts';

/** What the list of a customer's charges can be sorted by. */
export type ChargeSortField = 'id' | 'created_at' | 'service_period.from' | 'billing_period.from';
const SORT_COLUMNS = {
  id: 'id',
  created_at: 'created_at',
  'service_period.from': 'service_from',
  'billing_period.from': 'billing_from',
} as const;

/**
 * Written into the text of a query: SQLite takes an index of the rows in one state only when it sees the state while it
 * prepares the statement. As a parameter it would have the statement prepared anew for each value.
 */
const OPEN = sql.lit('open' as const);
const BILLED = sql.lit('billed' as const);
const MANUAL = sql.lit('manual' as const);

/** Charges. A handle lives as long as the transaction that it is made for. */
export function chargeRepository(db: DbHandle) {
  const tables = withTables<{ charges: ChargeRow }>(db);
  return { ...writes(tables), ...reads(tables), ...acrossCustomers(tables), ...pages(tables) };
}

type Tables = ReturnType<typeof withTables<{ charges: ChargeRow }>>;

function ofCustomer(tables: Tables, customerId: string) {
  return tables.selectFrom('charges').where('customer_id', '=', customerId);
}

function writes(tables: Tables) {
  return {
    insert: async (charges: readonly Charge[]): Promise<void> => {
      await inPieces(await mapInSlices(charges, toRow), (piece) =>
        tables.insertInto('charges').values(piece).execute(),
      );
    },
    replaceContent: async (id: string, wanted: WantedCharge, updatedAtMs: number): Promise<void> => {
      const columns = { ...contentColumns(wanted), updated_at: toStoredInstant(updatedAtMs), deleted_at: null };
      await tables.updateTable('charges').set(columns).where('id', '=', id).execute();
    },
    setState: async (
      id: string,
      change: { state: Charge['state']; billedToMs?: number | undefined; atMs: number },
    ): Promise<void> => {
      const at = toStoredInstant(change.atMs);
      await tables
        .updateTable('charges')
        .set({
          state: change.state,
          updated_at: at,
          deleted_at: change.state === 'deleted' ? at : null,
          ...(change.billedToMs !== undefined && { billed_to: toStoredInstant(change.billedToMs) }),
        })
        .where('id', '=', id)
        .execute();
    },
    /** How far they are billed. */
    setStates: async (
      progress: readonly { id: string; state: 'open' | 'billed'; billedToMs: number }[],
      atMs: number,
    ): Promise<void> => {
      const updated_at = toStoredInstant(atMs);
      for (const [, alike] of groupedBy(progress, ({ state, billedToMs }) => `${state}/${billedToMs}`)) {
        const [{ state, billedToMs } = { state: 'open' as const, billedToMs: 0 }] = alike;
        const columns = { state, updated_at, deleted_at: null, billed_to: toStoredInstant(billedToMs) };
        await eachList(
          alike.map(({ id }) => id),
          (list) => tables.updateTable('charges').set(columns).where('id', 'in', list).execute(),
        );
      }
    },
    /** Lines of them were edited. */
    setManual: async (ids: readonly string[], atMs: number): Promise<void> => {
      const columns = { controller: 'manual', updated_at: toStoredInstant(atMs) } as const;
      await eachList(ids, (list) => tables.updateTable('charges').set(columns).where('id', 'in', list).execute());
    },
    /** A person has let the customer off. */
    drop: async (ids: readonly string[], atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      const columns = { state: 'deleted', dropped_at: at, deleted_at: at, updated_at: at } as const;
      await eachList(ids, (list) => tables.updateTable('charges').set(columns).where('id', 'in', list).execute());
    },
    /** Notes that an invoice with usage of these was issued. */
    setIssued: async (ids: readonly string[], atMs: number): Promise<void> => {
      const columns = { issued_at: toStoredInstant(atMs) };
      await eachList(ids, (list) => tables.updateTable('charges').set(columns).where('id', 'in', list).execute());
    },
  };
}

function reads(tables: Tables) {
  return {
    byId: async (id: string): Promise<Charge | undefined> => {
      const row = await tables.selectFrom('charges').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toCharge(row);
    },
    byIds: async (ids: readonly string[]): Promise<Charge[]> => {
      const rows = await inLists(ids, (list) =>
        tables.selectFrom('charges').selectAll().where('id', 'in', list).orderBy('id').execute(),
      );
      return mapInSlices(rows, toCharge);
    },
    byReference: async (customerId: string, reference: string): Promise<Charge | undefined> => {
      const row = await ofCustomer(tables, customerId)
        .selectAll()
        .where('reference', '=', reference)
        .executeTakeFirst();
      return row && toCharge(row);
    },
    /** Deleted ones count. */
    hasAny: async (customerId: string): Promise<boolean> =>
      (await ofCustomer(tables, customerId).select('id').limit(1).executeTakeFirst()) !== undefined,
    /** Deleted ones too. */
    ofSubscription: async (subscriptionId: string): Promise<Charge[]> => {
      const own = tables.selectFrom('charges').selectAll().where('subscription_id', '=', subscriptionId);
      return mapInSlices(await own.orderBy('id').execute(), toCharge);
    },
    /** Those with something left to invoice, in the order in which they fall due. */
    open: async (customerId: string, currency?: string): Promise<Charge[]> => {
      let open = ofCustomer(tables, customerId).selectAll().where('state', '=', OPEN);
      if (currency !== undefined) open = open.where('currency', '=', currency);
      return mapInSlices(await open.orderBy('invoice_at').orderBy('id').execute(), toCharge);
    },
    hasOpen: async (customerId: string, currency: string): Promise<boolean> => {
      const own = ofCustomer(tables, customerId).select('id').where('state', '=', OPEN);
      return (await own.where('currency', '=', currency).limit(1).executeTakeFirst()) !== undefined;
    },
    /** Usage that is billed completely, and the last of it issued after an instant. */
    issuedSince: async (customerId: string, sinceMs: number): Promise<Charge[]> => {
      const billed = ofCustomer(tables, customerId).selectAll().where('state', '=', BILLED);
      const recent = billed.where('issued_at', '>', toStoredInstant(sinceMs));
      return mapInSlices(await recent.orderBy('service_to').orderBy('id').execute(), toCharge);
    },
    /** Whether usage of the customer was ever issued. */
    hasIssued: async (customerId: string): Promise<boolean> => {
      const billed = ofCustomer(tables, customerId).select('id').where('state', '=', BILLED);
      return (await billed.where('issued_at', 'is not', null).limit(1).executeTakeFirst()) !== undefined;
    },
  };
}

/** What billing runs and retention ask of all customers. */
function acrossCustomers(tables: Tables) {
  return {
    /** The beginning of the earliest charge that is open, or was issued after an instant. */
    earliestNeededMs: async (issuedSinceMs: number): Promise<number | undefined> => {
      const earliest = tables.selectFrom('charges').select((eb) => eb.fn.min('service_from').as('at'));
      const open = await earliest.where('state', '=', OPEN).executeTakeFirst();
      const issued = await earliest
        .where('state', '=', BILLED)
        .where('issued_at', '>', toStoredInstant(issuedSinceMs))
        .executeTakeFirst();
      const [first] = [open?.at, issued?.at].filter((at) => typeof at === 'string').sort();
      return first === undefined ? undefined : Date.parse(first);
    },
    /** Those of the customers who have an open charge that is paid from credit alone. */
    customersOnCredit: async (customerIds: readonly string[]): Promise<string[]> => {
      const open = tables.selectFrom('charges').select('customer_id').distinct().where('state', '=', OPEN);
      const onCredit = open.where('content', 'like', '%"settlementMode":"credit_only"%');
      const rows = await inLists(customerIds, (list) => onCredit.where('customer_id', 'in', list).execute());
      return rows.map((row) => row.customer_id);
    },
    openOfCustomers: async (customerIds: readonly string[]): Promise<Charge[]> => {
      const open = tables.selectFrom('charges').selectAll().where('state', '=', OPEN);
      const rows = await inLists(customerIds, (list) => open.where('customer_id', 'in', list).orderBy('id').execute());
      return mapInSlices(rows, toCharge);
    },
    /** Customers after one whose usage was billed by hand and issued after an instant, in the order of their ids. */
    customersBilledByHand: async (sinceMs: number, afterId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('charges')
        .select('customer_id')
        .distinct()
        .where('state', '=', BILLED)
        .where('controller', '=', MANUAL)
        .where('issued_at', '>', toStoredInstant(sinceMs))
        .where('customer_id', '>', afterId)
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
    /** Customers after one of whom something falls due by an instant, in the order of their ids. */
    customersWithDue: async (untilMs: number, afterId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('charges')
        .select('customer_id')
        .distinct()
        .where('state', '=', OPEN)
        .where('invoice_at', '<=', toStoredInstant(untilMs))
        .where('customer_id', '>', afterId)
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
  };
}

function pages(tables: Tables) {
  return {
    page: async (
      customerId: string,
      list: {
        /** undefined: all. They are told from state and time: what is not billed is created, then active. */
        statuses: readonly ('created' | 'active' | 'final' | 'deleted')[] | undefined;
        nowMs: number;
        sort: { field: ChargeSortField; direction: 'asc' | 'desc' };
        limit: number;
        offset: number;
      },
    ): Promise<{ charges: Charge[]; total: number }> => {
      let own = ofCustomer(tables, customerId);
      const { statuses } = list;
      if (statuses !== undefined) {
        const now = toStoredInstant(list.nowMs);
        own = own.where((eb) =>
          eb.or([
            eb.lit(false),
            ...(statuses.includes('deleted') ? [eb('state', '=', 'deleted')] : []),
            ...(statuses.includes('final') ? [eb('state', '=', 'billed')] : []),
            ...(statuses.includes('created') ? [eb.and([eb('state', '=', 'open'), eb('service_from', '>', now)])] : []),
            ...(statuses.includes('active') ? [eb.and([eb('state', '=', 'open'), eb('service_from', '<=', now)])] : []),
          ]),
        );
      }
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const { field, direction } = list.sort;
      const rows = await own
        .selectAll()
        .orderBy(SORT_COLUMNS[field], direction)
        .orderBy('id', direction)
        .limit(list.limit)
        .offset(list.offset)
        .execute();
      return { charges: rows.map(toCharge), total: Number(total) };
    },
  };
}
