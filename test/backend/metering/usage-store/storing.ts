import type { Aggregation, MeterSpec, NewEvent } from '../../../../backend/metering/usage-store/index.ts';

/** So small that a process is nearly always in the midst of a fold or a back-fill. */
export const SMALL_SIZES = {
  generationEvents: 500,
  generationDeltas: 20,
  foldRowsPerStep: 50,
  foldRowsPerEvent: 2,
  backFillEventsPerStep: 100,
};

/** Events of a correction that are changed together: most corrections have several slices. */
export const CORRECTION_SLICE_EVENTS = 20;

const meter = (aggregation: Aggregation, dimensions: Record<string, string>): MeterSpec => ({
  eventType: 't',
  aggregation,
  valueProperty: aggregation === 'count' ? undefined : '$.v',
  eventsFromMs: undefined,
  dimensions,
});

export const METERS: readonly MeterSpec[] = [
  meter('count', { route: '$.route', wide: '$.id' }),
  meter('sum', { route: '$.route' }),
  meter('latest', {}),
  meter('unique_count', { route: '$.route' }),
];

export function meteredEvent(round: number, index: number): NewEvent {
  const id = `${round}-${index}`;
  return {
    id,
    source: 's',
    type: 't',
    subject: `subject-${index % 7}`,
    timeMs: Date.parse('2026-11-01T00:00:00Z') + ((index * 7_919_000) % (40 * 86_400_000)),
    data: JSON.stringify({ v: (index % 1000) / 8, route: `route-${index % 5}`, id }),
    ingestedAtMs: 0,
  };
}
