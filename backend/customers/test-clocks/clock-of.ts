import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import { type NowByCustomer, testClockRepository } from './repository.ts';

/**
 * The clock that a customer lives by: the real one, or, for a sandbox customer, one that stands at its own now. Whatever
 * depends on time (status, periods, balances, due dates) must ask this one. Read anew for each request or job.
 * @param db the handle of the transaction inside one: another would wait for it for ever
 * @param clock the real one
 */
export async function clockOf(db: ControlDb, clock: Clock, customerId: string): Promise<Clock> {
  const own = await testClockRepository(db).byCustomer(customerId);
  if (own === undefined) return clock;
  const { nowMs } = own;
  return { nowMs: () => nowMs };
}

/** @param db as in `clockOf` */
export async function nowByCustomer(db: ControlDb, clock: Clock): Promise<NowByCustomer> {
  const clocks = await testClockRepository(db).all();
  const ofTestClocks = new Map(clocks.map(({ customerId, nowMs }) => [customerId, nowMs]));
  const realMs = clock.nowMs();
  return { realMs, ofTestClocks, of: (customerId) => ofTestClocks.get(customerId) ?? realMs };
}
