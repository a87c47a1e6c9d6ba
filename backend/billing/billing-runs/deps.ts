import type { Subscriptions } from '../../customers/subscriptions/index.ts';
import type { Leadership } from '../../platform/leadership.ts';
import type { Scope } from '../../platform/scope.ts';
import type { InvoicesDeps } from '../invoices/index.ts';

export interface BillingRunsDeps extends InvoicesDeps {
  /** Of several backends the one that leads does the runs. */
  leadership: Leadership;
  /** Why nobody may be billed by the time that it is; undefined: nothing is wrong with it. */
  heldBack(): string | undefined;
  /** Customers who have or had a subscription, by id, a page at a time. */
  listSubscribers(afterId: string | undefined, limit: number, scope: Scope): Promise<string[]>;
  /** What has changed of a customer's subscriptions since that was last noted as followed, deleted ones included. */
  subscriptionChanges: Subscriptions['listChanges'];
  subscriptionChangesFollowed: Subscriptions['changesFollowed'];
}
