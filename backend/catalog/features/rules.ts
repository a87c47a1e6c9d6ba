import type { Meter } from '../../metering/meters/index.ts';
import { AGGREGATION_NAMES, AGGREGATIONS } from '../../metering/usage-store/index.ts';
import type { ValidationError } from '../../platform/errors.ts';
import { violation } from './errors.ts';
import { type CreateFeature, LLM_COST_PAIRS, type UnitCost } from './schema.ts';

/** What can be added up over a billing period, or read at its end. An average or an extreme cannot be billed. */
const BILLABLE = AGGREGATION_NAMES.filter((name) => AGGREGATIONS[name].usageKind !== undefined);

/** Everything that is wrong with a feature on this meter; the meter is undefined for a static feature. */
export function findProblems(
  feature: Pick<CreateFeature, 'meter' | 'unit_cost'>,
  meter: Meter | undefined,
): ValidationError[] {
  return [...meterProblems(feature, meter), ...unitCostProblems(feature.unit_cost, meter)];
}

function meterProblems(feature: Pick<CreateFeature, 'meter'>, meter: Meter | undefined): ValidationError[] {
  if (meter === undefined) return [];
  const problems: ValidationError[] = [];
  if (!BILLABLE.includes(meter.aggregation)) {
    const message = `meter "${meter.key}" has the aggregation ${meter.aggregation}, features need one of ${BILLABLE.join(', ')}`;
    problems.push(violation('feature_invalid_meter_aggregation', message));
  }
  for (const name of Object.keys(feature.meter?.filters ?? {})) {
    if (hasDimension(meter, name)) continue;
    problems.push(violation('feature_invalid_filter', notADimension(name, meter), `meter.filters.${name}`));
  }
  return problems;
}

/** What is wrong with a unit cost of a feature on this meter. */
export function unitCostProblems(cost: UnitCost | undefined, meter: Meter | undefined): ValidationError[] {
  if (cost?.type !== 'llm') return [];
  if (meter === undefined) {
    return [violation('feature_llm_cost_without_meter', 'an LLM unit cost needs a feature with a meter')];
  }
  return LLM_COST_PAIRS.flatMap(([, property]) => {
    const name = cost[property];
    if (name === undefined || hasDimension(meter, name)) return [];
    return [violation('feature_invalid_cost_property', notADimension(name, meter), `unit_cost.${property}`)];
  });
}

/** The dimensions of its meter that a feature reads: by its filters and by its unit cost. */
export function dimensionsInUse(feature: Pick<CreateFeature, 'meter' | 'unit_cost'>): Set<string> {
  const cost = feature.unit_cost;
  const properties = cost?.type === 'llm' ? LLM_COST_PAIRS.map(([, property]) => cost[property]) : [];
  return new Set([...Object.keys(feature.meter?.filters ?? {}), ...properties.filter((name) => name !== undefined)]);
}

function hasDimension(meter: Meter, name: string): boolean {
  return Object.hasOwn(meter.dimensions ?? {}, name);
}

function notADimension(name: string, meter: Meter): string {
  const known = Object.keys(meter.dimensions ?? {});
  const choice = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return `"${name}" is not a dimension of meter "${meter.key}"; ${choice}`;
}
