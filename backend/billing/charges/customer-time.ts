import type { ControlDb } from '../../platform/db/control-db.ts';
import type { ChargesDeps } from './deps.ts';

/** The same at the customer's time: sandbox customers live by a clock of their own. */
export async function atCustomersTime<Deps extends Pick<ChargesDeps, 'db' | 'clock' | 'clockOf'>>(
  deps: Deps,
  customerId: string,
  db: ControlDb = deps.db,
): Promise<Deps> {
  const clock = await deps.clockOf(customerId, deps.clock, db);
  return clock === deps.clock ? deps : { ...deps, clock };
}
