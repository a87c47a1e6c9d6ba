import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';

export interface RevenueDeps extends Pick<AdjustmentsDeps, 'findCustomer'> {
  /** Customers who live by a clock of their own: a few hundred at most. */
  onTestClocks(scope: Scope): Promise<ReadonlySet<string>>;
}
