import type { Features, FeatureUsage } from '../../catalog/features/index.ts';
import type { Meter } from '../../metering/meters/index.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { ChargesDeps } from '../charges/index.ts';

/** What the quantities of lines are read from. */
export interface RecordsDeps extends ChargesDeps {
  findFeatures: Features['findByIds'];
  findMeters(ids: readonly string[], db: ControlDb): Promise<ReadonlyMap<string, Meter>>;
  /** What customers used of features. */
  usage: Pick<FeatureUsage, 'measure' | 'scopeOf'>;
}
