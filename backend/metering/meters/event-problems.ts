import { AGGREGATIONS, compileJsonPath, jsonPathProblem, parseData, type StoredEvent } from '../usage-store/index.ts';
import type { Meter } from './schema.ts';
import type { MetersService } from './service.ts';

/**
 * Why events do not count, as far as meters can tell: no meter for the type, or a value that a meter cannot use.
 * The sentences are the contract's.
 * @returns one list for each event
 */
export async function meterProblems(meters: MetersService, events: readonly StoredEvent[]): Promise<string[][]> {
  const types = [...new Set(events.map((event) => event.type))];
  const byType = Map.groupBy(await meters.livingByEventTypes(types), (meter) => meter.event_type);
  return events.map((event) => {
    const matching = byType.get(event.type);
    if (matching === undefined) return [`no meter found for event type: ${event.type}`];
    const data = parseData(event.data);
    return matching.flatMap((meter) => [valueProblem(meter, data) ?? [], dimensionProblems(meter, data)].flat());
  });
}

/** Dimensions whose path cannot be evaluated on the event: it counts with an empty value there. */
function dimensionProblems(meter: Meter, data: unknown): string[] {
  return Object.entries(meter.dimensions ?? {}).flatMap(([name, path]) => {
    const problem = jsonPathProblem(path, data);
    return problem === undefined ? [] : [`meter "${meter.key}", dimension "${name}": ${problem}`];
  });
}

/** The contract's sentence about what stands at the value property; undefined when it is usable. */
export function valueProblem(meter: Meter, data: unknown): string | undefined {
  const property = meter.value_property;
  const { reading } = AGGREGATIONS[meter.aggregation];
  if (reading.takes === 'nothing' || property === undefined) return undefined;
  if (data === undefined) return 'invalid event: null and missing value property';
  const problem = jsonPathProblem(property, data);
  if (problem !== undefined) return `meter "${meter.key}", value property "${property}": ${problem}`;
  return reading.problem(compileJsonPath(property)(data), property);
}
