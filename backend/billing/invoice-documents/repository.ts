import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { DocumentFormat } from './thread/messages.ts';

interface DocumentRow {
  invoice_id: string;
  format: string;
  bytes: string;
  sha256: string;
  made_at: string;
}

/** Documents of issued invoices, as they were first made. */
export function documentRepository(db: DbHandle) {
  const tables = withTables<{ invoice_documents: DocumentRow }>(db);
  return {
    find: async (invoiceId: string, format: DocumentFormat): Promise<Uint8Array<ArrayBuffer> | undefined> => {
      const own = tables.selectFrom('invoice_documents').select('bytes').where('invoice_id', '=', invoiceId);
      const row = await own.where('format', '=', format).executeTakeFirst();
      return row && new Uint8Array(Buffer.from(row.bytes, 'base64'));
    },
    /** The first one stays. */
    insert: async (
      document: { invoiceId: string; format: DocumentFormat; bytes: Uint8Array; sha256: string },
      atMs: number,
    ): Promise<void> => {
      const { invoiceId, format, bytes, sha256 } = document;
      const text = Buffer.from(bytes).toString('base64');
      await tables
        .insertInto('invoice_documents')
        .values({ invoice_id: invoiceId, format, bytes: text, sha256, made_at: toStoredInstant(atMs) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
  };
}
