import type { Addons } from '../../catalog/addons/index.ts';
import type { Plans } from '../../catalog/plans/index.ts';
import type { CatalogLookups } from '../../catalog/product-catalog/index.ts';
import type { Scope } from '../../platform/scope.ts';

/** What subscriptions are made with. */
export interface SubscriptionDeps {
  scope: Scope;
  plans: Pick<Plans, 'findByIds' | 'findActive' | 'findVersion' | 'findAddons'>;
  addons: Pick<Addons, 'findByIds'>;
  /** What the rate cards of edits and custom plans refer to. */
  lookups: CatalogLookups;
  /** Why a customer cannot be billed as its billing profile wants it; undefined: it can. */
  billingProblem?: (customerId: string, scope: Scope) => Promise<string | undefined>;
  /**
   * Told, after it is stored, that something about a customer's subscriptions changed; the answer waits for it. What it
   * throws does not undo the change.
   */
  onChange?: (customerId: string) => Promise<void>;
}
