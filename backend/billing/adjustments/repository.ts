import { sql } from 'kysely';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces, replacing } from '../../platform/db/in-lists.ts';
import { type Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { isNegative } from '../../platform/decimal-texts.ts';
import { groupedBy } from '../../platform/grouped-by.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { Charge } from '../charges/index.ts';
import type { Adjustment } from './types.ts';

interface AdjustmentRow {
  id: string;
  customer_id: string;
  currency: string;
  charge_id: string | null;
  state: Adjustment['state'];
  line_id: string | null;
  /** Whether it is to be paid. */
  is_debit: number;
  content: string;
  created_at: string;
}

const REPLACED = [
  'customer_id',
  'currency',
  'charge_id',
  'state',
  'line_id',
  'content',
  'created_at',
] as const satisfies (keyof AdjustmentRow)[];

/** Differences to what was billed. A handle lives as long as the transaction that it is made for. */
export function adjustmentRepository(db: DbHandle) {
  const tables = withTables<{
    billing_corrections: AdjustmentRow;
    charges: { customer_id: string; currency: string; state: Charge['state'] };
  }>(db);
  const all = tables.selectFrom('billing_corrections').selectAll();
  // In the text of queries, so that SQLite finds the index of these.
  const debits = tables
    .selectFrom('billing_corrections as owed')
    .where('state', '=', sql.lit('pending' as const))
    .where('is_debit', '=', sql.lit(1));
  return {
    /** New ones, and ones that take the place of what they were. */
    store: async (adjustments: readonly Adjustment[]): Promise<void> => {
      await inPieces(await mapInSlices(adjustments, toRow), (piece) =>
        tables
          .insertInto('billing_corrections')
          .values(piece)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(replacing(REPLACED)))
          .execute(),
      );
    },
    byIds: async (ids: readonly string[]): Promise<Map<string, Adjustment>> => {
      const rows = await inLists(ids, (list) => all.where('id', 'in', list).execute());
      return new Map((await mapInSlices(rows, toAdjustment)).map((one) => [one.id, one]));
    },
    byId: async (id: string): Promise<Adjustment | undefined> => {
      const row = await all.where('id', '=', id).executeTakeFirst();
      return row && toAdjustment(row);
    },
    /** In the order in which they were found, by the charge. */
    ofCharges: async (chargeIds: readonly string[]): Promise<Map<string, Adjustment[]>> => {
      const rows = await inLists(chargeIds, (list) => all.where('charge_id', 'in', list).orderBy('id').execute());
      return groupedBy(await mapInSlices(rows, toAdjustment), ({ chargeId = '' }) => chargeId);
    },
    /** In the order in which they were found. */
    ofCharge: async (chargeId: string): Promise<Adjustment[]> =>
      (await adjustmentRepository(db).ofCharges([chargeId])).get(chargeId) ?? [],
    pending: async (customerId: string, currency: string): Promise<Adjustment[]> => {
      const waiting = all.where('customer_id', '=', customerId).where('currency', '=', currency);
      const pending = waiting.where('state', '=', sql.lit('pending' as const)).orderBy('id');
      return mapInSlices(await pending.execute(), toAdjustment);
    },
    /** What the customer has to get back, by currency. A credit waits for an invoice a few at a time. */
    owed: async (customerId: string): Promise<{ currency: string; amount: string }[]> => {
      const rows = await all
        .where('customer_id', '=', customerId)
        .where('state', '=', sql.lit('pending' as const))
        .execute();
      const sums = new Map<string, Decimal>();
      for (const { currency, amount } of await mapInSlices(rows, toAdjustment)) {
        sums.set(currency, (sums.get(currency) ?? ZERO).add(amount));
      }
      const credits = [...sums].filter(([, sum]) => sum.lt(0)).sort(([a], [b]) => (a < b ? -1 : 1));
      return credits.map(([currency, sum]) => ({ currency, amount: formatDecimal(sum.neg()) }));
    },
    /** Currencies in which something is to be paid that waits for an invoice. */
    debitCurrencies: async (customerId: string): Promise<string[]> => {
      const own = debits.select('currency').distinct().where('customer_id', '=', customerId);
      return (await own.orderBy('currency').execute()).map((row) => row.currency);
    },
    /** Customers after one who have something to pay and no charge left in its currency, in the order of their ids. */
    customersWithLastDebit: async (afterId: string, limit: number): Promise<string[]> => {
      const rows = await debits
        .select('customer_id')
        .distinct()
        .where('customer_id', '>', afterId)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('charges')
                .select('state')
                .whereRef('charges.customer_id', '=', 'owed.customer_id')
                .whereRef('charges.currency', '=', 'owed.currency')
                .where('charges.state', '=', sql.lit('open' as const)),
            ),
          ),
        )
        .orderBy('customer_id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.customer_id);
    },
    page: async (customerId: string, page: PageRequest): Promise<{ adjustments: Adjustment[]; total: number }> => {
      const own = tables.selectFrom('billing_corrections').where('customer_id', '=', customerId);
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await own
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { adjustments: rows.map(toAdjustment), total: Number(total) };
    },
  };
}

function toRow(adjustment: Adjustment): AdjustmentRow {
  const { id, customerId, currency, chargeId, state, lineId, ...content } = adjustment;
  return {
    id,
    customer_id: customerId,
    currency,
    charge_id: chargeId ?? null,
    state,
    line_id: lineId ?? null,
    is_debit: isNegative(adjustment.amount) ? 0 : 1,
    content: JSON.stringify(content),
    created_at: toStoredInstant(adjustment.createdAtMs),
  };
}

function toAdjustment(row: AdjustmentRow): Adjustment {
  return {
    ...(JSON.parse(row.content) as Adjustment),
    id: row.id,
    customerId: row.customer_id,
    currency: row.currency,
    ...(row.charge_id !== null && { chargeId: row.charge_id }),
    state: row.state,
    ...(row.line_id !== null && { lineId: row.line_id }),
  };
}
