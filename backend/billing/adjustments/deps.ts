import type { Customer } from '../../customers/customers/index.ts';
import type { UsageStore } from '../../metering/usage-store/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { RecordsDeps } from '../invoice-records/index.ts';

export interface AdjustmentsDeps extends RecordsDeps {
  /** Deleted customers too. */
  findCustomer(id: string, scope: Scope): Promise<Customer | undefined>;
  /** What came late, and what was voided. */
  tracing: Pick<UsageStore, 'lateEvents'>;
}
