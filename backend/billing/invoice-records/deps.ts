import type { Features, FeatureUsage } from '../../catalog/features/index.ts';
import type { Meter } from '../../metering/meters/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { ChargesDeps } from '../charges/index.ts';

/** What the quantities of lines are read from. */
export interface RecordsDeps extends ChargesDeps {
  findFeatures: Features['findByIds'];
  findMeters(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Meter>>;
  /** What customers used of features. */
  usage: Pick<FeatureUsage, 'measure' | 'scopeOf'>;
}
