import type { UsageScope } from '../../metering/usage-store/index.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { RecordsDeps } from './deps.ts';

/** A figure on a bill that may come from usage. */
export interface MeteredFigure {
  customerId: string;
  featureId?: string;
  period: Period;
}

/** The usage that a figure is about: a customer's, of a feature, in a period; undefined when nothing is metered. */
export async function usageBehind(
  deps: RecordsDeps,
  scope: Scope,
  metered: MeteredFigure,
): Promise<UsageScope | undefined> {
  if (metered.featureId === undefined) return undefined;
  const feature = (await deps.findFeatures([metered.featureId], scope)).get(metered.featureId);
  if (feature?.meter === undefined) return undefined;
  if (!(await deps.findMeters([feature.meter.id], scope)).has(feature.meter.id)) return undefined;
  return deps.usage.scopeOf(feature, metered.customerId, metered.period);
}
