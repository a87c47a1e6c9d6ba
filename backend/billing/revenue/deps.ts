import type { ControlDb } from '../../platform/db/control-db.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';

export interface RevenueDeps extends Pick<AdjustmentsDeps, 'db' | 'findCustomer'> {
  /** Customers who live by a clock of their own: a few hundred at most. */
  onTestClocks(db: ControlDb): Promise<ReadonlySet<string>>;
}
