import type { ControlDb } from '../../platform/db/control-db.ts';
import type { InvoicesDeps } from './deps.ts';

/** The same at the customer's time: sandbox customers live by a clock of their own. */
export async function atCustomersTime(
  deps: InvoicesDeps,
  customerId: string,
  db: ControlDb = deps.db,
): Promise<InvoicesDeps> {
  const clock = await deps.clockOf(customerId, deps.clock, db);
  return clock === deps.clock ? deps : { ...deps, clock };
}
