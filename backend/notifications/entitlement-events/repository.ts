import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces, replacing } from '../../platform/db/in-lists.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { ThresholdState } from './thresholds.ts';

interface ThresholdRow {
  rule_id: string;
  entitlement_id: string;
  threshold: string;
  period_from: string;
  is_crossed: number;
  crossings: number;
}

interface Tables {
  notification_thresholds: ThresholdRow;
  notification_usage_periods: { entitlement_id: string; period_from: string };
}

/** Which threshold of which rule, and of whose entitlement. */
export interface ThresholdKey {
  ruleId: string;
  entitlementId: string;
  /** Its type and value. */
  threshold: string;
}

export const textOf = ({ entitlementId, ruleId, threshold }: ThresholdKey) => `${entitlementId} ${ruleId} ${threshold}`;

/** Which thresholds were crossed, and when usage last began anew. A handle lives as long as its transaction. */
export function thresholdRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  return {
    /** By `textOf`. */
    states: async (entitlementIds: readonly string[]) => {
      const rows = await inLists(entitlementIds, (list) =>
        tables.selectFrom('notification_thresholds').selectAll().where('entitlement_id', 'in', list).execute(),
      );
      return new Map(
        rows.map((row) => {
          const key = { ruleId: row.rule_id, entitlementId: row.entitlement_id, threshold: row.threshold };
          const periodFromMs = Date.parse(row.period_from);
          return [textOf(key), { key, periodFromMs, isCrossed: row.is_crossed === 1, crossings: row.crossings }];
        }),
      );
    },
    setStates: (states: readonly { key: ThresholdKey; state: ThresholdState }[]): Promise<void> =>
      inPieces(
        states.map(({ key, state }) => ({
          rule_id: key.ruleId,
          entitlement_id: key.entitlementId,
          threshold: key.threshold,
          period_from: toStoredInstant(state.periodFromMs),
          is_crossed: state.isCrossed ? 1 : 0,
          crossings: state.crossings,
        })),
        (piece) =>
          tables
            .insertInto('notification_thresholds')
            .values(piece)
            .onConflict((conflict) =>
              conflict
                .columns(['entitlement_id', 'rule_id', 'threshold'])
                .doUpdateSet(replacing(['period_from', 'is_crossed', 'crossings'])),
            )
            .execute(),
      ),
    /** Of rules that are gone, switched off, or have other thresholds now. */
    forget: async (keys: readonly ThresholdKey[]): Promise<void> => {
      for (const { ruleId, entitlementId, threshold } of keys) {
        await tables
          .deleteFrom('notification_thresholds')
          .where('entitlement_id', '=', entitlementId)
          .where('rule_id', '=', ruleId)
          .where('threshold', '=', threshold)
          .execute();
      }
    },
    /** When usage of each began anew, as far as it was looked at. */
    periods: async (entitlementIds: readonly string[]): Promise<Map<string, number>> => {
      const rows = await inLists(entitlementIds, (list) =>
        tables.selectFrom('notification_usage_periods').selectAll().where('entitlement_id', 'in', list).execute(),
      );
      return new Map(rows.map((row) => [row.entitlement_id, Date.parse(row.period_from)]));
    },
    setPeriods: (periods: ReadonlyMap<string, number>): Promise<void> =>
      inPieces(
        Array.from(periods, ([entitlement_id, fromMs]) => ({ entitlement_id, period_from: toStoredInstant(fromMs) })),
        (piece) =>
          tables
            .insertInto('notification_usage_periods')
            .values(piece)
            .onConflict((conflict) => conflict.column('entitlement_id').doUpdateSet(replacing(['period_from'])))
            .execute(),
      ),
  };
}
