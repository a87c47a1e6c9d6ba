import type { Aggregation, MeterSpec } from '../types.ts';

/** What the figures of a meter depend on, but for the instant that they begin at: that is a bound of queries. */
export interface SeriesSpec {
  eventType: string;
  aggregation: Aggregation;
  valueProperty: string | null;
  /** Name and path, ordered by name. */
  dimensions: readonly (readonly [name: string, path: string])[];
}

function seriesSpec(meter: MeterSpec): SeriesSpec {
  return {
    eventType: meter.eventType,
    aggregation: meter.aggregation,
    valueProperty: meter.valueProperty ?? null,
    dimensions: Object.entries(meter.dimensions).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** Equal for meters that share their figures. */
export function canonicalSpec(meter: MeterSpec): string {
  return JSON.stringify(seriesSpec(meter));
}
