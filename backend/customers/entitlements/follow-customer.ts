import type { Scope } from '../../platform/scope.ts';
import type { Subscriptions, SubscriptionView } from '../subscriptions/index.ts';
import { customerScope } from '../test-clocks/index.ts';
import { type AgreedAccess, type AgreedSubscription, followSubscription } from './from-subscription.ts';
import { entitlementRepository } from './repository.ts';
import { changingCustomer } from './service.ts';

export interface FollowDeps {
  readonly scope: Scope;
  readonly subscriptions: Pick<Subscriptions, 'listActiveViews' | 'listCustomerIds'>;
}

/** Every instant that a date of four digits has. */
const ALL_TIME = { fromMs: 0, toMs: Date.UTC(9999, 11, 31) };
const CUSTOMERS_AT_A_TIME = 100;

/**
 * Makes a customer's entitlements what their subscriptions say, as they are now. Doing it again changes nothing, so it can
 * make up for one that was missed.
 */
export async function followCustomer(customerId: string, deps: FollowDeps): Promise<void> {
  const { scope, subscriptions } = deps;
  await changingCustomer(scope, customerId, async (scope) => {
    const nowMs = (await customerScope(scope, customerId)).clock.nowMs();
    const views = await subscriptions.listActiveViews([customerId], ALL_TIME, scope);
    const known = new Set(views.map(({ id }) => id));
    const gone = (await entitlementRepository(scope).subscriptionsOf(customerId)).filter((id) => !known.has(id));
    const agreed = [
      // First what ends: another subscription may take over at the same instant.
      ...gone.map((id) => ({ id, customerId, billingAnchorMs: 0, access: [] })),
      ...views.toSorted((a, b) => a.fromMs - b.fromMs).map(agreedSubscription),
    ];
    for (const subscription of agreed) {
      const conflicts = await followSubscription(subscription, { scope, nowMs });
      for (const conflict of conflicts) {
        const where = { subscription: subscription.id, customer: customerId };
        scope.log.warn(
          { ...where, ...conflict },
          'a rate card grants nothing: the customer has the feature from elsewhere',
        );
      }
    }
  });
}

/** Makes up for changes that were stored when the process ended: all customers with a subscription, one after the other. */
export async function followAllCustomers(deps: FollowDeps): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const ids = await deps.subscriptions.listCustomerIds(after, CUSTOMERS_AT_A_TIME, deps.scope);
    for (const id of ids) await followCustomer(id, deps);
    after = ids.at(-1);
    if (ids.length < CUSTOMERS_AT_A_TIME) return;
  }
}

/** What the rate cards of a subscription grant, phase by phase. */
function agreedSubscription({ id, customerId, billingAnchorMs, phases }: SubscriptionView): AgreedSubscription {
  const access = phases.flatMap((phase) =>
    phase.items.flatMap(({ identity, itemKey, rateCard, featureId, fromMs, toMs }): AgreedAccess[] => {
      if (rateCard.entitlement === undefined || featureId === undefined) return [];
      return [
        {
          itemId: identity,
          featureId,
          featureKey: itemKey,
          template: rateCard.entitlement,
          unitConfig: rateCard.terms.unit_config ?? undefined,
          fromMs,
          toMs,
          measureFromMs: phase.fromMs,
        },
      ];
    }),
  );
  return { id, customerId, billingAnchorMs, access };
}
