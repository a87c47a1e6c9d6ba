import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { DocumentFormat } from './thread/messages.ts';

/** Pages of 20,000 lines have 13 MB: packed, and by another thread, they are a write of no length. */
const pack = promisify(gzip);
const unpack = promisify(gunzip);

interface DocumentRow {
  invoice_id: string;
  format: string;
  /** Packed, in base 64. */
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
      return row && new Uint8Array(await unpack(Buffer.from(row.bytes, 'base64')));
    },
    /** The first one stays. @returns whether this is it */
    insert: async (
      document: { invoiceId: string; format: DocumentFormat; bytes: Uint8Array; sha256: string },
      atMs: number,
    ): Promise<boolean> => {
      const { invoiceId, format, bytes, sha256 } = document;
      const text = (await pack(bytes)).toString('base64');
      const { numInsertedOrUpdatedRows = 0n } = await tables
        .insertInto('invoice_documents')
        .values({ invoice_id: invoiceId, format, bytes: text, sha256, made_at: toStoredInstant(atMs) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows > 0n;
    },
  };
}
