import type { CountingReason, ExplainedEvent } from '../../metering/events/index.ts';
import { formatInstant } from '../../platform/instant.ts';
import { contains } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { SubscriptionViews } from './query-service.ts';
import type { SubscriptionView } from './view.ts';

/** Every subscription that there is: from the epoch to the last instant that the API writes. */
const ALL_TIME = { fromMs: 0, toMs: Date.UTC(9999, 11, 31) };

/**
 * For each event that a meter counts and whose customer is known: why no subscription of the customer has it. Nothing
 * is said where nobody has ever had a subscription: then usage is only looked at, and every event would carry a reason.
 */
export async function explainBySubscriptions(
  views: Pick<SubscriptionViews, 'listActiveViews' | 'listCustomerIds'>,
  scope: Scope,
  events: readonly ExplainedEvent[],
): Promise<CountingReason[][]> {
  const ids = new Set(
    events.flatMap(({ customerId, isCounted }) => (isCounted && customerId !== undefined ? [customerId] : [])),
  );
  if (ids.size === 0 || (await views.listCustomerIds(undefined, 1, scope)).length === 0) return events.map(() => []);
  const byCustomer = Map.groupBy(
    await views.listActiveViews([...ids], ALL_TIME, scope),
    ({ customerId }) => customerId,
  );
  return events.map((explained) => {
    const { customerId, isCounted } = explained;
    return isCounted && customerId !== undefined ? explain(explained, byCustomer.get(customerId) ?? []) : [];
  });
}

function explain({ event: { timeMs }, features }: ExplainedEvent, own: readonly SubscriptionView[]): CountingReason[] {
  const inForce = own.filter((view) => contains(view, timeMs));
  if (inForce.length === 0) return [notSubscribed(own, timeMs)];
  const counting = new Set(features.filter(({ counts }) => counts).map(({ featureId }) => featureId));
  // The features' own filters leave it out, which has been said.
  if (counting.size === 0 && features.some(({ isArchived }) => !isArchived)) return [];
  const items = inForce.flatMap(({ phases }) => phases.flatMap((phase) => phase.items));
  const has = items.some(
    (item) => item.featureId !== undefined && counting.has(item.featureId) && contains(item, timeMs),
  );
  if (has) return [];
  const names = inForce.map(({ name, id }) => `${name} (${id})`).join(', ');
  const message = `no rate card then in force is for a feature that counts it: ${names}`;
  return [{ code: 'not_in_plan', message }];
}

/** @param own the customer's subscriptions, of which none is in force at the instant */
function notSubscribed(own: readonly SubscriptionView[], atMs: number): CountingReason {
  const past = own.filter(({ fromMs }) => fromMs <= atMs);
  const last = past.toSorted((a, b) => (a.toMs ?? 0) - (b.toMs ?? 0)).at(-1);
  if (last?.toMs !== undefined) {
    const message = `the customer's subscription ${last.name} (${last.id}) had ended at ${formatInstant(last.toMs)}`;
    return { code: 'after_subscription', message };
  }
  const next = own.toSorted((a, b) => a.fromMs - b.fromMs).at(0);
  if (next === undefined) return { code: 'no_subscription', message: 'the customer has no subscription' };
  const message = `the customer's first subscription ${next.name} (${next.id}) began later, at ${formatInstant(next.fromMs)}`;
  return { code: 'before_subscription', message };
}
