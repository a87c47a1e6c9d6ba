import { sql } from 'kysely';
import { type ControlDb, withTables } from '../../platform/db/control-db.ts';
import { eachList, inLists, inPieces } from '../../platform/db/in-lists.ts';
import { groupedBy } from '../../platform/grouped-by.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { Charge, ChargeContent, WantedCharge } from './types.ts';

interface ChargeRow {
  id: string;
  customer_id: string;
  currency: string;
  reference: string | null;
  controller: 'system' | 'manual';
  state: Charge['state'];
  subscription_id: string | null;
  content: string;
  service_from: string;
  service_to: string;
  billing_from: string;
  invoice_at: string;
  billed_to: string | null;
  issued_at: string | null;
  dropped_at: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

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
export function chargeRepository(db: ControlDb) {
  const tables = withTables<{ charges: ChargeRow }>(db);
  const ofCustomer = (customerId: string) => tables.selectFrom('charges').where('customer_id', '=', customerId);
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
      const row = await ofCustomer(customerId).selectAll().where('reference', '=', reference).executeTakeFirst();
      return row && toCharge(row);
    },
    /** Deleted ones count. */
    hasAny: async (customerId: string): Promise<boolean> =>
      (await ofCustomer(customerId).select('id').limit(1).executeTakeFirst()) !== undefined,
    /** Deleted ones too. */
    ofSubscription: async (subscriptionId: string): Promise<Charge[]> => {
      const own = tables.selectFrom('charges').selectAll().where('subscription_id', '=', subscriptionId);
      return mapInSlices(await own.orderBy('id').execute(), toCharge);
    },
    /** Those with something left to invoice, in the order in which they fall due. */
    open: async (customerId: string, currency?: string): Promise<Charge[]> => {
      let open = ofCustomer(customerId).selectAll().where('state', '=', OPEN);
      if (currency !== undefined) open = open.where('currency', '=', currency);
      return mapInSlices(await open.orderBy('invoice_at').orderBy('id').execute(), toCharge);
    },
    hasOpen: async (customerId: string, currency: string): Promise<boolean> => {
      const own = ofCustomer(customerId).select('id').where('state', '=', OPEN);
      return (await own.where('currency', '=', currency).limit(1).executeTakeFirst()) !== undefined;
    },
    /** Notes that an invoice with usage of these was issued. */
    setIssued: async (ids: readonly string[], atMs: number): Promise<void> => {
      const columns = { issued_at: toStoredInstant(atMs) };
      await eachList(ids, (list) => tables.updateTable('charges').set(columns).where('id', 'in', list).execute());
    },
    /** Usage that is billed completely, and the last of it issued after an instant. */
    issuedSince: async (customerId: string, sinceMs: number): Promise<Charge[]> => {
      const billed = ofCustomer(customerId).selectAll().where('state', '=', BILLED);
      const recent = billed.where('issued_at', '>', toStoredInstant(sinceMs));
      return mapInSlices(await recent.orderBy('service_to').orderBy('id').execute(), toCharge);
    },
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
    /** Whether usage of the customer was ever issued. */
    hasIssued: async (customerId: string): Promise<boolean> => {
      const billed = ofCustomer(customerId).select('id').where('state', '=', BILLED);
      return (await billed.where('issued_at', 'is not', null).limit(1).executeTakeFirst()) !== undefined;
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
      let own = ofCustomer(customerId);
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

function contentColumns(content: ChargeContent) {
  return {
    currency: content.currency,
    subscription_id: content.subscription?.id ?? null,
    content: JSON.stringify(contentOf(content)),
    service_from: toStoredInstant(content.servicePeriod.fromMs),
    service_to: toStoredInstant(content.servicePeriod.toMs),
    billing_from: toStoredInstant(content.billingPeriod.fromMs),
    invoice_at: toStoredInstant(content.invoiceAtMs),
  };
}

/** The part of a charge that is kept as JSON. */
function contentOf(charge: ChargeContent & { reference?: string }): ChargeContent {
  const {
    id,
    customerId,
    reference,
    controller,
    state,
    billedToMs,
    createdAtMs,
    updatedAtMs,
    deletedAtMs,
    droppedAtMs,
    ...content
  } = charge as Partial<Charge> & ChargeContent;
  return content;
}

function toRow(charge: Charge): Omit<ChargeRow, 'issued_at'> {
  return {
    id: charge.id,
    customer_id: charge.customerId,
    reference: charge.reference ?? null,
    controller: charge.controller,
    state: charge.state,
    ...contentColumns(charge),
    billed_to: charge.billedToMs === undefined ? null : toStoredInstant(charge.billedToMs),
    created_at: toStoredInstant(charge.createdAtMs),
    updated_at: toStoredInstant(charge.updatedAtMs),
    deleted_at: charge.deletedAtMs === undefined ? null : toStoredInstant(charge.deletedAtMs),
    dropped_at: charge.droppedAtMs === undefined ? null : toStoredInstant(charge.droppedAtMs),
  };
}

function toCharge(row: ChargeRow): Charge {
  return {
    ...(JSON.parse(row.content) as ChargeContent),
    id: row.id,
    customerId: row.customer_id,
    ...(row.reference !== null && { reference: row.reference }),
    controller: row.controller,
    state: row.state,
    ...(row.billed_to !== null && { billedToMs: Date.parse(row.billed_to) }),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
    ...(row.deleted_at !== null && { deletedAtMs: Date.parse(row.deleted_at) }),
    ...(row.dropped_at !== null && { droppedAtMs: Date.parse(row.dropped_at) }),
  };
}
