/** What lines ask of usage. */

import type { Feature } from '../../catalog/features/index.ts';
import { chargesUsage } from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { Meter } from '../../metering/meters/index.ts';
import type { Aggregation } from '../../metering/usage-store/index.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Charge } from '../charges/index.ts';
import type { RecordsDeps } from './deps.ts';
import type { InvoiceLine, ValidationIssue } from './types.ts';

/** Usage cannot be read: the invoice says why instead of billing nothing. */
export interface MissingUsage {
  issue: ValidationIssue;
}

/** A quantity in the meter's unit, and the moment of the usage store that it was read at. */
export interface MeasuredUsage {
  value: string;
  snapshot?: string;
}

export function isMissing(usage: MeasuredUsage | MissingUsage): usage is MissingUsage {
  return 'issue' in usage;
}

/** Whether the line's quantity is metered. */
export function isMetered(line: Pick<InvoiceLine, 'terms' | 'kind' | 'overrides'>): boolean {
  if (line.kind === 'correction') return false;
  return chargesUsage(line.terms.price) || line.overrides?.isMetered === true;
}

/** How the features of charges are metered; features without a meter, and unknown ones, are absent. */
export async function aggregationsOf(
  deps: RecordsDeps,
  charges: readonly Pick<Charge, 'featureId'>[],
  scope: CustomerScope,
): Promise<ReadonlyMap<string, Aggregation>> {
  const ids = [...new Set(charges.map(({ featureId }) => featureId).filter((id) => id !== undefined))];
  if (ids.length === 0) return new Map();
  const features = await deps.findFeatures(ids, scope);
  const meterIds = [...features.values()].map(({ meter }) => meter?.id).filter((id) => id !== undefined);
  const meters = await deps.findMeters([...new Set(meterIds)], scope);
  const aggregations = new Map<string, Aggregation>();
  for (const feature of features.values()) {
    const meter = feature.meter && meters.get(feature.meter.id);
    if (meter !== undefined) aggregations.set(feature.id, meter.aggregation);
  }
  return aggregations;
}

/** What usage is asked of: a line or a charge, and the period. */
export interface AskedUsage {
  featureId?: string | undefined;
  name: string;
  period: Period;
}

/**
 * What a customer used of features in periods, or why that cannot be said; in the order of what was asked. All that one
 * invoice needs is asked for at once.
 */
export async function readUsages(
  deps: RecordsDeps,
  scope: CustomerScope,
  customerId: string,
  asked: readonly AskedUsage[],
): Promise<(MeasuredUsage | MissingUsage)[]> {
  const features = await deps.findFeatures(
    asked.flatMap(({ featureId }) => featureId ?? []),
    scope,
  );
  const meterIds = Array.from(features.values()).flatMap(({ meter }) => meter?.id ?? []);
  const meters = await deps.findMeters(meterIds, scope);
  const read = asked.map((one) => readableFeature(one, features, meters));
  const readings = asked.flatMap(({ period }, index) => {
    const feature = read[index]?.feature;
    return feature === undefined ? [] : [{ index, feature, period }];
  });
  const measured = await deps.usage.measure(customerId, readings);
  const values = new Map(readings.map(({ index }, position) => [index, measured[position]]));
  return read.map(({ known }, index) => values.get(index) ?? known);
}

/** The feature to ask about; without one, what is known without asking. */
function readableFeature(
  { featureId, name, period }: AskedUsage,
  features: ReadonlyMap<string, Feature>,
  meters: ReadonlyMap<string, Meter>,
): { feature?: Feature; known: MeasuredUsage | MissingUsage } {
  const missing = (message: string) => ({
    known: {
      issue: { code: 'line_usage_not_available', message: `${name}: ${message}`, severity: 'critical' as const },
    },
  });
  if (period.fromMs >= period.toMs) return { known: { value: '0' } };
  if (featureId === undefined) return missing('a usage price without a feature has no quantity');
  const feature = features.get(featureId);
  if (feature === undefined) return missing(`there is no feature ${featureId}`);
  if (feature.meter === undefined) return missing(`feature ${feature.key} has no meter`);
  if (!meters.has(feature.meter.id)) return missing(`the meter of feature ${feature.key} does not exist any more`);
  return { feature, known: { value: '0' } };
}

/** One of them alone. */
export async function readUsage(
  deps: RecordsDeps,
  scope: CustomerScope,
  { featureId, name }: { featureId?: string | undefined; name: string },
  customerId: string,
  period: Period,
): Promise<MeasuredUsage | MissingUsage> {
  const [usage] = await readUsages(deps, scope, customerId, [{ featureId, name, period }]);
  if (usage === undefined) throw new Error('one reading asked, none given');
  return usage;
}
