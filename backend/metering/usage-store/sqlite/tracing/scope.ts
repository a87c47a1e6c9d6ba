import type { SqlFragment } from '../../../../platform/db/filter-sql.ts';
import { timeBounds } from '../../tracing/contribution.ts';
import type { UsageScope } from '../../tracing-types.ts';

/** A row of the events as tracing reads it. */
export type TracedRow = [
  rowId: number,
  timeMs: number,
  data: string | null,
  voidedBy: number | null,
  storedAtMs: number,
];

export const TRACED_COLUMNS = 'row_id, time_ms, data, voided_by, stored_at_ms';

/** What SQL can judge: type, time and subject. */
export function scopeConditions(scope: UsageScope): SqlFragment {
  const { fromMs, toMs } = timeBounds(scope);
  const text = 'type = (SELECT name_id FROM names WHERE text = ?) AND time_ms >= ? AND time_ms < ?';
  const params: unknown[] = [scope.meter.eventType, fromMs, toMs];
  if (scope.subjects === undefined) return { text, params };
  return {
    text: `${text} AND subject IN (SELECT name_id FROM names JOIN json_each(?) ON text = value)`,
    params: [...params, JSON.stringify(scope.subjects)],
  };
}
