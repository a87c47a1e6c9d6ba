/** What lines ask of usage. */
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Aggregation } from '../rating/index.ts';
import type { InvoicesDeps } from './deps.ts';
import type { Charge, InvoiceLine, ValidationIssue } from './types.ts';

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
export function isMetered(line: Pick<InvoiceLine, 'terms' | 'kind'>): boolean {
  return line.kind !== 'correction' && line.terms.price.type !== 'flat' && line.terms.price.type !== 'free';
}

/** How the features of charges are metered; features without a meter, and unknown ones, are absent. */
export async function aggregationsOf(
  deps: InvoicesDeps,
  charges: readonly Pick<Charge, 'featureId'>[],
  db: ControlDb,
): Promise<ReadonlyMap<string, Aggregation>> {
  const ids = [...new Set(charges.map(({ featureId }) => featureId).filter((id) => id !== undefined))];
  if (ids.length === 0) return new Map();
  const features = await deps.findFeatures(ids, db);
  const meterIds = [...features.values()].map(({ meter }) => meter?.id).filter((id) => id !== undefined);
  const meters = await deps.findMeters([...new Set(meterIds)], db);
  const aggregations = new Map<string, Aggregation>();
  for (const feature of features.values()) {
    const meter = feature.meter && meters.get(feature.meter.id);
    if (meter !== undefined) aggregations.set(feature.id, meter.aggregation);
  }
  return aggregations;
}

/** What a customer used of a feature in a period, or why that cannot be said. */
export async function readUsage(
  deps: InvoicesDeps,
  line: { featureId?: string | undefined; name: string },
  customerId: string,
  period: Period,
): Promise<MeasuredUsage | MissingUsage> {
  if (period.fromMs >= period.toMs) return { value: '0' };
  const missing = (message: string): MissingUsage => ({
    issue: { code: 'line_usage_not_available', message: `${line.name}: ${message}`, severity: 'critical' },
  });
  if (line.featureId === undefined) return missing('a usage price without a feature has no quantity');
  const feature = (await deps.findFeatures([line.featureId], deps.db)).get(line.featureId);
  if (feature === undefined) return missing(`there is no feature ${line.featureId}`);
  if (feature.meter === undefined) return missing(`feature ${feature.key} has no meter`);
  if (!(await deps.findMeters([feature.meter.id], deps.db)).has(feature.meter.id)) {
    return missing(`the meter of feature ${feature.key} does not exist any more`);
  }
  return deps.usage.measure(feature, customerId, period);
}
