import type { FeatureExplanation } from '../../metering/events/index.ts';
import { appliedFilter, findMeters, type Meter } from '../../metering/meters/index.ts';
import {
  compileJsonPath,
  type DimensionFilter,
  parseData,
  passesFilter,
  readDimensionValue,
  type StoredEvent,
} from '../../metering/usage-store/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { featureRepository } from './repository.ts';
import type { Feature } from './schema.ts';

/** A value of 100 kB in a sentence helps nobody. */
const MAX_SHOWN_LENGTH = 64;

/**
 * For each event, each feature of the meters that count it: whether the feature counts it too, or which of its filters
 * leave it out. Archived features are told as well, since subscriptions may still have them.
 */
export async function explainByFeatures(
  scope: Scope,
  events: readonly { event: StoredEvent; meterIds: readonly string[] }[],
): Promise<FeatureExplanation[][]> {
  const repository = featureRepository(scope);
  const meterIds = [...new Set(events.flatMap((entry) => entry.meterIds))];
  const meters = await findMeters(scope, meterIds);
  const features = await repository.byMeters(meterIds);
  const archived = features.filter((feature) => feature.deleted_at !== undefined);
  const paths = await repository.dimensionPaths(archived.map(({ id }) => id));
  const filtered = features.map((feature) => ({ feature, droppedPaths: paths.get(feature.id) ?? {} }));
  return events.map(({ event, meterIds: counting }) => {
    const data = parseData(event.data);
    return filtered.flatMap(({ feature, droppedPaths }) => {
      const meter = meters.get(feature.meter?.id ?? '');
      if (meter === undefined || !counting.includes(meter.id)) return [];
      return [explain(feature, meter, droppedPaths, data)];
    });
  });
}

function explain(
  feature: Feature,
  meter: Meter,
  droppedPaths: Readonly<Record<string, string>>,
  data: unknown,
): FeatureExplanation {
  const filters = Object.entries((feature.meter?.filters ?? {}) as Record<string, DimensionFilter>);
  const reasons = filters.flatMap(([name, filter]) => {
    const path = meter.dimensions?.[name] ?? droppedPaths[name];
    const value = path === undefined ? '' : readDimensionValue(compileJsonPath(path)(data));
    if (passesFilter(value, appliedFilter(meter, path, filter))) return [];
    const shown = value.length > MAX_SHOWN_LENGTH ? `${value.slice(0, MAX_SHOWN_LENGTH)}…` : value;
    const message = `${name} is ${JSON.stringify(shown)}, which its filter leaves out`;
    return [{ code: 'excluded_by_feature', message }];
  });
  return {
    featureId: feature.id,
    featureKey: feature.key,
    meterKey: meter.key,
    isArchived: feature.deleted_at !== undefined,
    counts: reasons.length === 0,
    reasons,
  };
}
