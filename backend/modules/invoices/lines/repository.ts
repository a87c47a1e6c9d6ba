import { type ControlDb, withTables } from '../../../platform/db/control-db.ts';
import { inPieces } from '../../../platform/db/in-lists.ts';
import { type LineRow, toLine, toLineRow } from '../rows.ts';
import type { InvoiceLine } from '../types.ts';

/** A line with what became of its invoice. */
export interface LineOfCharge extends InvoiceLine {
  invoiceStatus: string;
}

/** Read and understood in some milliseconds. */
const LINES_OF_PAGE = 500;

/** Lines of standard invoices. A handle lives as long as the transaction that it is made for. */
export function lineRepository(db: ControlDb) {
  const tables = withTables<{ invoice_lines: LineRow; invoices: { id: string; status: string } }>(db);
  return {
    insert: async (lines: readonly InvoiceLine[]): Promise<void> => {
      await inPieces(lines.map(toLineRow), (piece) => tables.insertInto('invoice_lines').values(piece).execute());
    },
    replace: async (line: InvoiceLine): Promise<void> => {
      const { id, ...columns } = toLineRow(line);
      await tables.updateTable('invoice_lines').set(columns).where('id', '=', id).execute();
    },
    byId: async (id: string): Promise<InvoiceLine | undefined> => {
      const row = await tables.selectFrom('invoice_lines').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toLine(row);
    },
    /** In the order of their positions, deleted ones included. */
    ofInvoice: async (invoiceId: string): Promise<InvoiceLine[]> => {
      const own = tables.selectFrom('invoice_lines').selectAll().where('invoice_id', '=', invoiceId);
      return (await own.orderBy('position').orderBy('id').execute()).map(toLine);
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
    ofCharge: async (chargeId: string): Promise<LineOfCharge[]> => {
      const rows = await tables
        .selectFrom('invoice_lines')
        .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
        .selectAll('invoice_lines')
        .select('invoices.status as invoice_status')
        .where('charge_id', '=', chargeId)
        .orderBy('service_from')
        .orderBy('invoice_lines.id')
        .execute();
      return rows.map(({ invoice_status, ...row }) => ({ ...toLine(row), invoiceStatus: invoice_status }));
    },
  };
}
