import type { Subscriptions } from '../../customers/subscriptions/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { NewId } from '../../platform/ids.ts';
import type { Currency } from '../../platform/money.ts';
import type { StoredProfile } from '../billing-profiles/index.ts';

/**
 * What charges need of others. Functions with a handle are asked inside transactions and must read through it: another
 * handle would wait for that transaction to end, for ever.
 */
export interface ChargesDeps {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  /** The clock that a customer lives by: its own, or else the given one. */
  clockOf(customerId: string, clock: Clock, db: ControlDb): Promise<Clock>;
  profileOf(customerId: string, db: ControlDb): Promise<StoredProfile>;
  /** One of ISO 4217 or a custom one, with its digits. */
  findCurrency(code: string, db: ControlDb): Promise<Currency | undefined>;
  /** The earliest first; deleted and unknown ones are absent. */
  findSubscriptions: Subscriptions['listViews'];
}
