import { parseInstant } from '../../platform/instant.ts';
import { AGGREGATIONS, compileJsonPath, parseData, type StoredEvent } from '../usage-store/index.ts';
import { valueProblem } from './event-problems.ts';
import type { Meter } from './schema.ts';
import type { MetersService } from './service.ts';

/** What one meter makes of an event. */
interface MeterExplanation {
  meterId: string;
  meterKey: string;
  counts: boolean;
  value: string | undefined;
  reasons: { code: string; message: string }[];
}

/** For each event, each living meter of its type: whether it counts the event, with which value, or why not. */
export async function explainByMeters(
  meters: MetersService,
  events: readonly StoredEvent[],
): Promise<MeterExplanation[][]> {
  const byType = await metersByType(
    meters,
    events.map((event) => event.type),
  );
  return events.map((event) => (byType.get(event.type) ?? []).map((meter) => explain(meter, event)));
}

/** Keys of the living meters of each event type; types without one are absent. */
export async function meterKeysOfTypes(
  meters: MetersService,
  types: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const byType = await metersByType(meters, types);
  return new Map([...byType].map(([type, matching]) => [type, matching.map((meter) => meter.key)]));
}

async function metersByType(meters: MetersService, types: readonly string[]): Promise<Map<string, Meter[]>> {
  return Map.groupBy(await meters.livingByEventTypes([...new Set(types)]), (meter) => meter.event_type);
}

function explain(meter: Meter, event: StoredEvent): MeterExplanation {
  const data = parseData(event.data);
  const reasons: MeterExplanation['reasons'] = [];
  const fromMs = meter.events_from === undefined ? undefined : parseInstant(meter.events_from);
  if (fromMs !== undefined && event.timeMs < fromMs) {
    const message = `the meter counts events from ${meter.events_from} on`;
    reasons.push({ code: 'before_events_from', message });
  }
  const problem = valueProblem(meter, data);
  const property = meter.value_property;
  const read = property === undefined ? undefined : compileJsonPath(property)(data);
  // A value may be a problem to tell, and add something all the same.
  const contribution = AGGREGATIONS[meter.aggregation].reading.contribution(read, property ?? '');
  if (problem !== undefined) reasons.push({ code: 'value_unusable', message: problem });
  const counts = contribution !== undefined && !reasons.some(({ code }) => code === 'before_events_from');
  return { meterId: meter.id, meterKey: meter.key, counts, value: contribution?.value, reasons };
}
