import { AGGREGATIONS } from '../aggregations/index.ts';
import { passesFilter } from '../dimension-filter.ts';
import { parseData } from '../event-data.ts';
import { compileJsonPath } from '../json-path.ts';
import { readDimensionValue } from '../meter-value.ts';
import type { UsageScope } from '../tracing-types.ts';

/** Bounds of the event's own time. */
export function timeBounds({ meter, fromMs, toMs }: UsageScope): { fromMs: number; toMs: number } {
  return {
    fromMs: Math.max(fromMs ?? Number.MIN_SAFE_INTEGER, meter.eventsFromMs ?? Number.MIN_SAFE_INTEGER),
    toMs: toMs ?? Number.MAX_SAFE_INTEGER,
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
