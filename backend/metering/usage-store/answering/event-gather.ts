import { windowFinder } from '../../../platform/calendar-windows.ts';
import { type Accumulator, AGGREGATIONS } from '../aggregations/index.ts';
import { passesFilter } from '../dimension-filter.ts';
import { parseData } from '../event-data.ts';
import { compileJsonPath, type ReadPath } from '../json-path.ts';
import { readDimensionValue } from '../meter-value.ts';
import type { UsageQuery } from '../types.ts';
import { createRoom, type QueryLimits } from './query-limits.ts';
import { type GroupedQuery, OTHERS_KEY, subjectKey, type UsageGroup, valuesKey } from './usage-rows.ts';

interface Group extends UsageGroup {
  accumulator: Accumulator;
}

/** An event of a query's type, time and subjects. */
export interface GatheredEvent {
  subject: string;
  timeMs: number;
  data: string | null;
}

/** Adds events to the groups of a query, in the order of storing: the way for what roll-ups do not know. */
export interface EventGather {
  add(event: GatheredEvent): void;
  groups(): Iterable<UsageGroup>;
}

/** @param limits asked whenever a group is added */
export function createEventGather(query: GroupedQuery, limits: QueryLimits): EventGather {
  const { meter } = query;
  const readValue = meter.valueProperty === undefined ? () => undefined : compileJsonPath(meter.valueProperty);
  const filters = Object.entries(query.filters).map(([name, filter]) => ({
    read: dimensionReader(query, name),
    filter,
  }));
  const grouped = query.groupBy.map((name) => ({ name, read: dimensionReader(query, name) }));
  const findWindow = query.granularity && windowFinder(query.granularity, query.timeZone);
  const groups = new Map<string, Group>();
  const takeRoom = createRoom(limits, query.groupBy);
  const add = (event: GatheredEvent): void => {
    const data = parseData(event.data);
    if (!filters.every(({ read, filter }) => passesFilter(readDimensionValue(read(data)), filter))) return;
    const values = grouped.map(({ read }) => readDimensionValue(read(data)));
    const window = findWindow?.(event.timeMs);
    const subject = query.groupBySubject ? event.subject : undefined;
    const subjectGroup = query.subjectGroups?.get(event.subject);
    const own = subjectKey(subject, subjectGroup) + valuesKey(values);
    const isApart = query.apart?.has(own) ?? true;
    const key = `${window === undefined ? '' : window.fromMs}${isApart ? own : OTHERS_KEY}`;
    let group = groups.get(key);
    if (group === undefined) {
      const dimensions = Object.fromEntries(grouped.map(({ name }, index) => [name, values[index] ?? '']));
      const labels = isApart
        ? {
            dimensions,
            ...(subject !== undefined && { subject }),
            ...(subjectGroup !== undefined && { subjectGroup }),
          }
        : { dimensions: {} };
      const accumulator = AGGREGATIONS[meter.aggregation].accumulate(meter.valueProperty ?? '');
      const { result } = accumulator;
      group = { window, labels, accumulator, result, firstMs: event.timeMs, lastMs: event.timeMs };
      groups.set(key, group);
      takeRoom(key);
    }
    group.accumulator.add(readValue(data), event.timeMs);
    group.firstMs = Math.min(group.firstMs, event.timeMs);
    group.lastMs = Math.max(group.lastMs, event.timeMs);
  };
  return { add, groups: () => groups.values() };
}

function dimensionReader(query: UsageQuery, name: string): ReadPath {
  const path = query.meter.dimensions[name];
  if (path === undefined) throw new Error(`the meter has no dimension "${name}"`);
  return compileJsonPath(path);
}
