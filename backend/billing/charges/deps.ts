import type { Subscriptions } from '../../customers/subscriptions/index.ts';
import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
import type { StoredProfile } from '../billing-profiles/index.ts';

/** What charges need of others. What is given a scope reads through it. */
export interface ChargesDeps {
  profileOf(customerId: string, scope: Scope): Promise<StoredProfile>;
  /** One of ISO 4217 or a custom one, with its digits. */
  findCurrency(code: string, scope: Scope): Promise<Currency | undefined>;
  /** The earliest first; deleted and unknown ones are absent. */
  findSubscriptions: Subscriptions['listViews'];
}
