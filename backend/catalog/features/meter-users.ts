import type { MeterUsers } from '../../metering/meters/index.ts';
import { meterInUse } from './errors.ts';
import { featureRepository } from './repository.ts';
import { dimensionsInUse } from './rules.ts';

/**
 * What features have against changes of their meter. Living ones only: an archived feature keeps the paths that it
 * reads, and a deleted meter its definition, so what is still billed by them stays as it was.
 */
export const FEATURES_AS_METER_USERS: MeterUsers = {
  blocksDeletion: async (meter, scope) => {
    const features = await featureRepository(scope).livingByMeter(meter.id);
    return features.length === 0 ? undefined : meterInUse(meter.key, 'be deleted', features);
  },
  blocksDroppingDimensions: async (meter, dimensions, scope) => {
    const features = await featureRepository(scope).livingByMeter(meter.id);
    const inUse = features.map((feature) => ({ feature, names: dimensionsInUse(feature) }));
    const missed = dimensions.filter((name) => inUse.some(({ names }) => names.has(name)));
    if (missed.length === 0) return undefined;
    const users = inUse.filter(({ names }) => missed.some((name) => names.has(name))).map(({ feature }) => feature);
    const what = missed.map((name) => `"${name}"`).join(', ');
    return meterInUse(meter.key, `drop the ${missed.length === 1 ? 'dimension' : 'dimensions'} ${what}`, users);
  },
};
