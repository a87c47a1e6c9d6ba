import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { toStoredInstant } from '../../platform/instant.ts';

/** An invoice that counts as revenue. */
export interface IssuedInvoice {
  currency: string;
  customerId: string;
  /** Decimal text. */
  total: string;
}

export function revenueRepository(db: DbHandle) {
  const tables = withTables<{
    invoices: { issued_at: string | null; currency: string; customer_id: string; short_status: string; total: string };
  }>(db);
  return {
    /** Issued in the half-open period; voided ones are nobody's revenue. */
    issuedIn: async (fromMs: number, toMs: number): Promise<IssuedInvoice[]> => {
      const rows = await tables
        .selectFrom('invoices')
        .select(['currency', 'customer_id', 'total'])
        .where('issued_at', '>=', toStoredInstant(fromMs))
        .where('issued_at', '<', toStoredInstant(toMs))
        .where('short_status', '!=', 'voided')
        .execute();
      return rows.map(({ currency, customer_id, total }) => ({ currency, customerId: customer_id, total }));
    },
  };
}
