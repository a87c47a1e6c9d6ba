import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces, replacing } from '../../platform/db/in-lists.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import {
  type LotRow,
  type MovementRow,
  type RunRow,
  toLotRow,
  toMovement,
  toMovementRow,
  toRunRow,
  toStoredLot,
  toStoredRun,
} from './rows.ts';
import type { StoredLot, StoredRun } from './stored.ts';
import type { CreditMovement } from './types.ts';

/** Credits and their ledger. A handle lives as long as the transaction that it is made for. */
export function creditRepository(db: DbHandle) {
  const tables = withTables<{ credit_lots: LotRow; credit_runs: RunRow; credit_movements: MovementRow }>(db);
  const lots = tables.selectFrom('credit_lots').selectAll();
  return {
    /** Those in which the customer ever had credit or used some, by their codes. */
    currencies: async (customerId: string): Promise<string[]> => {
      const ofLots = tables.selectFrom('credit_lots').select('currency').where('customer_id', '=', customerId);
      const ofRuns = tables.selectFrom('credit_runs').select('currency').where('customer_id', '=', customerId);
      const rows = await ofLots.union(ofRuns).execute();
      return rows.map(({ currency }) => currency).sort();
    },
    hasLots: async ({ customerId, currency }: { customerId: string; currency: string }): Promise<boolean> => {
      const own = tables.selectFrom('credit_lots').select('id').where('customer_id', '=', customerId);
      return (await own.where('currency', '=', currency).limit(1).executeTakeFirst()) !== undefined;
    },
    /** Whether the customer ever bought credit by invoice. */
    hasPurchases: async (customerId: string): Promise<boolean> => {
      const own = tables.selectFrom('credit_lots').select('id').where('customer_id', '=', customerId);
      return (await own.where('charge_id', 'is not', null).limit(1).executeTakeFirst()) !== undefined;
    },
    /** Grants that were bought with some charges. */
    bought: async (chargeIds: readonly string[]): Promise<StoredLot[]> => {
      const rows = await inLists(chargeIds, (list) => lots.where('charge_id', 'in', list).execute());
      return mapInSlices(rows, toStoredLot);
    },
    /** In the order of creation. */
    lots: async (customerId: string, currency: string): Promise<StoredLot[]> => {
      const own = lots.where('customer_id', '=', customerId).where('currency', '=', currency).orderBy('seq');
      return mapInSlices(await own.execute(), toStoredLot);
    },
    movements: async (customerId: string, currency: string): Promise<CreditMovement[]> => {
      const own = tables.selectFrom('credit_movements').selectAll().where('customer_id', '=', customerId);
      return mapInSlices(await own.where('currency', '=', currency).orderBy('seq').execute(), toMovement);
    },
    grant: async (customerId: string, id: string): Promise<StoredLot | undefined> => {
      const row = await lots.where('id', '=', id).where('kind', '=', 'grant').executeTakeFirst();
      return row?.customer_id === customerId ? toStoredLot(row) : undefined;
    },
    grantByKey: async (customerId: string, key: string): Promise<StoredLot | undefined> => {
      const row = await lots.where('customer_id', '=', customerId).where('grant_key', '=', key).executeTakeFirst();
      return row && toStoredLot(row);
    },
    /** The newest first. */
    grants: async (customerId: string): Promise<StoredLot[]> => {
      const own = lots.where('customer_id', '=', customerId).where('kind', '=', 'grant');
      return mapInSlices(await own.orderBy('id', 'desc').execute(), toStoredLot);
    },
    runs: async (ids: readonly string[]): Promise<Map<string, StoredRun>> => {
      const rows = await inLists(ids, (list) =>
        tables.selectFrom('credit_runs').selectAll().where('id', 'in', list).execute(),
      );
      return new Map((await mapInSlices(rows, toStoredRun)).map((one) => [one.id, one]));
    },
    insertRuns: async (runs: readonly StoredRun[]): Promise<void> => {
      const rows = await mapInSlices(runs, toRunRow);
      await inPieces(rows, (piece) => tables.insertInto('credit_runs').values(piece).execute());
    },
    /** New lots, and what is known anew of ones that are there. */
    storeLots: async (changed: readonly StoredLot[]): Promise<void> => {
      await inPieces(await mapInSlices(changed, toLotRow), (piece) =>
        tables
          .insertInto('credit_lots')
          .values(piece)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(replacing(['content'])))
          .execute(),
      );
    },
    append: async (
      owner: { customerId: string; currency: string },
      movements: readonly CreditMovement[],
    ): Promise<void> => {
      const rows = await mapInSlices(movements, (one) => toMovementRow(owner, one));
      await inPieces(rows, (piece) => tables.insertInto('credit_movements').values(piece).execute());
    },
  };
}
