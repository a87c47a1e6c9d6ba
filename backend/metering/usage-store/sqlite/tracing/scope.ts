import type { SqlFragment } from '../../../../platform/db/filter-sql.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { passesFilter } from '../../dimension-filter.ts';
import { parseData } from '../../event-data.ts';
import { compileJsonPath } from '../../json-path.ts';
import { readDimensionValue } from '../../meter-value.ts';
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

/** Bounds of the event's own time. */
export function timeBounds({ meter, fromMs, toMs }: UsageScope): { fromMs: number; toMs: number } {
  return {
    fromMs: Math.max(fromMs ?? Number.MIN_SAFE_INTEGER, meter.eventsFromMs ?? Number.MIN_SAFE_INTEGER),
    toMs: toMs ?? Number.MAX_SAFE_INTEGER,
  };
}

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

/** What an event's data adds to a figure: undefined when nothing, else the value, which a count does not have. */
export function contributionReader({
  meter,
  filters = {},
}: UsageScope): (data: string | null) => { value: string | undefined } | undefined {
  const readValue = meter.valueProperty === undefined ? () => undefined : compileJsonPath(meter.valueProperty);
  const { reading } = AGGREGATIONS[meter.aggregation];
  const tests = Object.entries(filters).map(([name, filter]) => {
    const path = meter.dimensions[name];
    if (path === undefined) throw new Error(`the meter has no dimension "${name}"`);
    const read = compileJsonPath(path);
    return (data: unknown) => passesFilter(readDimensionValue(read(data)), filter);
  });
  return (text) => {
    const data = parseData(text);
    if (!tests.every((passes) => passes(data))) return undefined;
    return reading.contribution(readValue(data), meter.valueProperty ?? '');
  };
}
