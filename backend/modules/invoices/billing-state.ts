/** When the charges of which subscription are to be looked at again. */
import type { ControlDb } from '../../platform/db/control-db.ts';
import { billingSubscriptionRepository } from './charges/subscriptions/repository.ts';

/** To be called in the transaction that creates or changes a subscription: its charges are worked out again. */
export async function subscriptionChanged(
  db: ControlDb,
  subscription: { id: string; customerId: string },
  nowMs: number,
): Promise<void> {
  await billingSubscriptionRepository(db).setSync(subscription, nowMs);
}
