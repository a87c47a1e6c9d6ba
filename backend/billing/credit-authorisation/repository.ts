import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces, replacing } from '../../platform/db/in-lists.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { Lease, LeaseHolder } from './leases.ts';

interface LeaseRow {
  customer_id: string;
  feature_key: string;
  node: string;
  customer_key: string;
  units: string;
  turn: number;
  granted_at: string;
  expires_at: string;
}

interface Tables {
  credit_leases: LeaseRow;
  credit_stops: { feature_id: string; updated_at: string };
}

/** Leases, and what is stopped without credit. A handle lives as long as the transaction that it is made for. */
export function authorisationRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    /** Those that have not lapsed. */
    leases: async (customerIds: readonly string[], nowMs: number): Promise<Lease[]> => {
      const living = tables.selectFrom('credit_leases').selectAll().where('expires_at', '>', toStoredInstant(nowMs));
      const rows = await inLists(customerIds, (list) =>
        living.where('customer_id', 'in', list).orderBy('granted_at').orderBy('node').execute(),
      );
      return rows.map(toLease);
    },
    storeLeases: async (leases: readonly Lease[]): Promise<void> => {
      await inPieces(leases.map(toRow), (piece) =>
        tables
          .insertInto('credit_leases')
          .values(piece)
          .onConflict((conflict) =>
            conflict
              .columns(['customer_id', 'feature_key', 'node', 'customer_key'])
              .doUpdateSet(replacing(['units', 'turn', 'granted_at', 'expires_at'])),
          )
          .execute(),
      );
    },
    removeLease: async ({ customerId, featureKey, node, customerKey }: LeaseHolder): Promise<void> => {
      const own = tables.deleteFrom('credit_leases').where('customer_id', '=', customerId);
      const ofFeature = own.where('feature_key', '=', featureKey);
      await ofFeature.where('node', '=', node).where('customer_key', '=', customerKey).execute();
    },
    removeLapsed: async (nowMs: number): Promise<void> => {
      await tables.deleteFrom('credit_leases').where('expires_at', '<=', toStoredInstant(nowMs)).execute();
    },
    /** Those of the features that are stopped without credit. */
    stops: async (featureIds: readonly string[]): Promise<ReadonlySet<string>> => {
      const rows = await inLists(featureIds, (list) =>
        tables.selectFrom('credit_stops').select('feature_id').where('feature_id', 'in', list).execute(),
      );
      return new Set(rows.map((row) => row.feature_id));
    },
    setStop: async (featureId: string, isStopped: boolean, atMs: number): Promise<void> => {
      if (!isStopped) {
        await tables.deleteFrom('credit_stops').where('feature_id', '=', featureId).execute();
        return;
      }
      const row = { feature_id: featureId, updated_at: toStoredInstant(atMs) };
      const insert = tables.insertInto('credit_stops').values(row);
      await insert.onConflict((conflict) => conflict.column('feature_id').doNothing()).execute();
    },
  };
}

function toLease(row: LeaseRow): Lease {
  return {
    customerId: row.customer_id,
    featureKey: row.feature_key,
    node: row.node,
    customerKey: row.customer_key,
    units: new Decimal(row.units),
    turn: row.turn,
    grantedAtMs: Date.parse(row.granted_at),
    expiresAtMs: Date.parse(row.expires_at),
  };
}

function toRow(lease: Lease): LeaseRow {
  return {
    customer_id: lease.customerId,
    feature_key: lease.featureKey,
    node: lease.node,
    customer_key: lease.customerKey,
    units: formatDecimal(lease.units),
    turn: lease.turn,
    granted_at: toStoredInstant(lease.grantedAtMs),
    expires_at: toStoredInstant(lease.expiresAtMs),
  };
}
