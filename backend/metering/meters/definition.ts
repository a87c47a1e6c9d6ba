import { parseInstant } from '../../platform/instant.ts';
import { AGGREGATIONS, type Aggregation, checkJsonPath, type MeterSpec } from '../usage-store/index.ts';
import { meterProblem } from './errors.ts';
import type { Meter } from './schema.ts';

const DIMENSION_NAME = /^[a-zA-Z_][0-9a-zA-Z_]*$/;
/** Names that a query uses for the event's subject and its customer. */
const RESERVED_DIMENSIONS: readonly string[] = ['subject', 'customer_id'];

/**
 * Checks what a meter's schema cannot: which fields go together, and that each path parses.
 * @throws DomainProblem 400 with the code and the field
 */
export function checkDefinition(meter: {
  aggregation: Aggregation;
  value_property?: string | undefined;
  dimensions?: Readonly<Record<string, string>> | undefined;
}): void {
  const property = meter.value_property;
  const readsNothing = AGGREGATIONS[meter.aggregation].reading.takes === 'nothing';
  if (readsNothing && property !== undefined) {
    throw meterProblem('invalid_value_property', `must be absent for the aggregation ${meter.aggregation}`);
  }
  if (!readsNothing && property === undefined) {
    throw meterProblem('invalid_value_property', `is required for the aggregation ${meter.aggregation}`);
  }
  const pathProblem = property === undefined ? undefined : problemOfPath(property);
  if (pathProblem !== undefined) throw meterProblem('invalid_value_property', pathProblem);
  for (const [name, path] of Object.entries(meter.dimensions ?? {})) checkDimension(name, path, property);
}

function checkDimension(name: string, path: string, valueProperty: string | undefined): void {
  const field = `dimensions.${name}`;
  if (RESERVED_DIMENSIONS.includes(name)) throw meterProblem('reserved_dimension', name, field);
  if (!DIMENSION_NAME.test(name)) {
    const rule = 'the name must start with a letter or underscore and have only letters, digits and underscores';
    throw meterProblem('invalid_dimension', rule, field);
  }
  const problem = problemOfPath(path);
  if (problem !== undefined) throw meterProblem('invalid_dimension', problem, field);
  if (path === valueProperty) throw meterProblem('invalid_dimension', 'must differ from value_property', field);
}

function problemOfPath(path: string): string | undefined {
  try {
    checkJsonPath(path);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'does not parse';
  }
}

/** The part of a meter that its figures follow from. */
export function toMeterSpec(meter: Meter): MeterSpec {
  return {
    eventType: meter.event_type,
    aggregation: meter.aggregation,
    valueProperty: meter.value_property,
    eventsFromMs: meter.events_from === undefined ? undefined : parseInstant(meter.events_from),
    dimensions: meter.dimensions ?? {},
  };
}
