import { type DbHandle, withTables } from '../../../platform/db/handle.ts';
import { inLists, inPieces, replacing } from '../../../platform/db/in-lists.ts';
import { groupedBy } from '../../../platform/grouped-by.ts';
import { mapInSlices } from '../../../platform/in-slices.ts';
import { type LineRow, toLine, toLineRow } from '../rows.ts';
import { COLLECTING } from '../states.ts';
import type { InvoiceLine } from '../types.ts';

/** A line with what became of its invoice. */
export interface LineOfCharge extends InvoiceLine {
  invoiceStatus: string;
}

/** Read and understood in some milliseconds. */
const LINES_OF_PAGE = 500;
const REPLACED = [
  'invoice_id',
  'position',
  'charge_id',
  'content',
  'service_from',
  'service_to',
  'quantity',
  'created_at',
  'updated_at',
  'deleted_at',
] as const satisfies (keyof LineRow)[];

/** Lines of standard invoices. A handle lives as long as the transaction that it is made for. */
export function lineRepository(db: DbHandle) {
  const tables = withTables<{ invoice_lines: LineRow; invoices: { id: string; status: string; customer_id: string } }>(
    db,
  );
  return {
    insert: async (lines: readonly InvoiceLine[]): Promise<void> => {
      await inPieces(await mapInSlices(lines, toLineRow), (piece) =>
        tables.insertInto('invoice_lines').values(piece).execute(),
      );
    },
    /** Lines that are stored. */
    replace: async (lines: readonly InvoiceLine[]): Promise<void> => {
      await inPieces(await mapInSlices(lines, toLineRow), (piece) =>
        tables
          .insertInto('invoice_lines')
          .values(piece)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(replacing(REPLACED)))
          .execute(),
      );
    },
    byId: async (id: string): Promise<InvoiceLine | undefined> => {
      const row = await tables.selectFrom('invoice_lines').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toLine(row);
    },
    /** In the order of their positions, deleted ones included. */
    ofInvoice: async (invoiceId: string): Promise<InvoiceLine[]> => {
      const own = tables.selectFrom('invoice_lines').selectAll().where('invoice_id', '=', invoiceId);
      return mapInSlices(await own.orderBy('position').orderBy('id').execute(), toLine);
    },
    /** Of invoices, those that have a line that was not deleted. */
    invoicesWithLiving: async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
      const rows = await inLists(ids, (list) =>
        tables
          .selectFrom('invoices')
          .select('id')
          .where('id', 'in', list)
          .where((eb) =>
            eb.exists(
              eb
                .selectFrom('invoice_lines')
                .select('invoice_lines.id')
                .whereRef('invoice_id', '=', 'invoices.id')
                .where('deleted_at', 'is', null),
            ),
          )
          .execute(),
      );
      return new Set(rows.map(({ id }) => id));
    },
    /** The same in pieces, for what can do something in between. */
    pagesOfInvoice: async function* (invoiceId: string): AsyncGenerator<InvoiceLine[]> {
      const own = tables.selectFrom('invoice_lines').selectAll().where('invoice_id', '=', invoiceId);
      const ordered = own.orderBy('position').orderBy('id').limit(LINES_OF_PAGE);
      let rows = await ordered.execute();
      for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
        yield rows.map(toLine);
        if (rows.length < LINES_OF_PAGE) return;
        const { position, id } = last;
        const after = ordered.where('position', '>=', position);
        rows = await after.where((is) => is.or([is('position', '>', position), is('id', '>', id)])).execute();
      }
    },
    /** In the order of their periods, those of deleted and void invoices included. */
    ofCharges: async (chargeIds: readonly string[]): Promise<Map<string, LineOfCharge[]>> => {
      const rows = await inLists(chargeIds, (list) =>
        tables
          .selectFrom('invoice_lines')
          .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
          .selectAll('invoice_lines')
          .select('invoices.status as invoice_status')
          .where('charge_id', 'in', list)
          .orderBy('service_from')
          .orderBy('invoice_lines.id')
          .execute(),
      );
      const lines = await mapInSlices(rows, ({ invoice_status, ...row }) => ({
        ...toLine(row),
        invoiceStatus: invoice_status,
      }));
      return groupedBy(lines, ({ chargeId = '' }) => chargeId);
    },
    /** Charges of these customers with a line on a draft whose quantities are not taken yet. */
    chargesCollecting: async (customerIds: readonly string[]): Promise<string[]> => {
      const onDrafts = tables
        .selectFrom('invoices')
        .innerJoin('invoice_lines', 'invoice_lines.invoice_id', 'invoices.id')
        .select('charge_id')
        .where('invoices.status', 'in', COLLECTING)
        .where('invoice_lines.deleted_at', 'is', null);
      const rows = await inLists(customerIds, (list) => onDrafts.where('customer_id', 'in', list).execute());
      return [...new Set(rows.flatMap(({ charge_id }) => charge_id ?? []))];
    },
    ofCharge: async (chargeId: string): Promise<LineOfCharge[]> =>
      (await lineRepository(db).ofCharges([chargeId])).get(chargeId) ?? [],
  };
}
