import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { InvoiceEvent, Payment, PaymentState } from './types.ts';

interface PaymentRow {
  id: string;
  invoice_id: string;
  app_id: string;
  external_id: string | null;
  reference: string | null;
  amount: string;
  currency: string;
  state: string;
  content: string;
  paid_at: string;
  created_at: string;
  updated_at: string;
}

interface EventRow {
  id: string;
  invoice_id: string;
  kind: string;
  content: string;
  created_at: string;
}

/** Payments of invoices, and what happened to these. A handle lives as long as the transaction that it is made for. */
export function paymentRepository(db: DbHandle) {
  const tables = withTables<{ invoice_payments: PaymentRow; invoice_events: EventRow }>(db);
  const payments = (invoiceId: string) => tables.selectFrom('invoice_payments').where('invoice_id', '=', invoiceId);
  const events = (invoiceId: string) => tables.selectFrom('invoice_events').where('invoice_id', '=', invoiceId);
  return {
    insert: async (payment: Payment): Promise<void> => {
      await tables.insertInto('invoice_payments').values(toRow(payment)).execute();
    },
    page: async (invoiceId: string, page: PageRequest): Promise<{ payments: Payment[]; total: number }> => {
      const own = payments(invoiceId);
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const from = (page.number - 1) * page.size;
      const rows = await own.selectAll().orderBy('id').limit(page.size).offset(from).execute();
      return { payments: rows.map(toPayment), total: Number(total) };
    },
    /** Amounts of payments in a state, in the invoice's currency. */
    amounts: async (invoiceId: string, state: PaymentState): Promise<string[]> => {
      const rows = await payments(invoiceId).select('amount').where('state', '=', state).execute();
      return rows.map(({ amount }) => amount);
    },
    byExternalId: async (appId: string, externalId: string): Promise<Payment | undefined> => {
      const own = tables.selectFrom('invoice_payments').selectAll().where('app_id', '=', appId);
      const row = await own.where('external_id', '=', externalId).executeTakeFirst();
      return row && toPayment(row);
    },
    replace: async (payment: Payment): Promise<void> => {
      const { id, ...columns } = toRow(payment);
      await tables.updateTable('invoice_payments').set(columns).where('id', '=', id).execute();
    },
    idByReference: async (invoiceId: string, reference: string): Promise<string | undefined> =>
      (await payments(invoiceId).select('id').where('reference', '=', reference).executeTakeFirst())?.id,
    insertEvent: async ({ id, invoiceId, kind, atMs, ...content }: InvoiceEvent): Promise<void> => {
      const row = {
        id,
        invoice_id: invoiceId,
        kind,
        content: JSON.stringify(content),
        created_at: toStoredInstant(atMs),
      };
      await tables.insertInto('invoice_events').values(row).execute();
    },
    /** In the order in which they happened. */
    events: async (invoiceId: string, page: PageRequest): Promise<{ events: InvoiceEvent[]; total: number }> => {
      const own = events(invoiceId);
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const from = (page.number - 1) * page.size;
      const rows = await own.selectAll().orderBy('id').limit(page.size).offset(from).execute();
      return { events: rows.map(toEvent), total: Number(total) };
    },
  };
}

function toRow({ id, invoiceId, appId, externalId, reference, amount, currency, state, ...rest }: Payment): PaymentRow {
  const { paidAtMs, createdAtMs, updatedAtMs, ...content } = rest;
  return {
    id,
    invoice_id: invoiceId,
    app_id: appId,
    external_id: externalId ?? null,
    reference: reference ?? null,
    amount,
    currency,
    state,
    content: JSON.stringify(content),
    paid_at: toStoredInstant(paidAtMs),
    created_at: toStoredInstant(createdAtMs),
    updated_at: toStoredInstant(updatedAtMs),
  };
}

function toPayment(row: PaymentRow): Payment {
  return {
    ...(JSON.parse(row.content) as Pick<Payment, 'method' | 'note' | 'failure'>),
    id: row.id,
    invoiceId: row.invoice_id,
    appId: row.app_id,
    ...(row.external_id !== null && { externalId: row.external_id }),
    ...(row.reference !== null && { reference: row.reference }),
    amount: row.amount,
    currency: row.currency,
    state: row.state as PaymentState,
    paidAtMs: Date.parse(row.paid_at),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
  };
}

function toEvent(row: EventRow): InvoiceEvent {
  return {
    ...(JSON.parse(row.content) as Pick<InvoiceEvent, 'text' | 'status' | 'paymentId'>),
    id: row.id,
    invoiceId: row.invoice_id,
    kind: row.kind as InvoiceEvent['kind'],
    atMs: Date.parse(row.created_at),
  };
}
