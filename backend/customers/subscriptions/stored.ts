import { customerLock } from '../../platform/db/locks.ts';
import type { Scope } from '../../platform/scope.ts';
import { createCustomers } from '../customers/index.ts';
import { customerScope } from '../test-clocks/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import { type SubscriptionAction, subscriptionNotFound, transitionNotAllowed } from './errors.ts';
import { statusAt } from './phases.ts';
import { reconcileItems } from './reconcile-items.ts';
import { subscriptionRepository } from './repository.ts';
import type { Subscription, SubscriptionStatus } from './types.ts';

/** A subscription inside a transaction, with the customer's now. */
export interface Opened {
  subscription: Subscription;
  nowMs: number;
}

/** What may be done in which state; the rest is refused. Source: OpenMeter, openmeter/subscription/state.go. */
const ALLOWED: Record<SubscriptionAction, readonly SubscriptionStatus[]> = {
  update: ['active'],
  change_addons: ['active'],
  cancel: ['active'],
  change: ['active'],
  migrate: ['active'],
  continue: ['canceled'],
  restore: ['canceled'],
  delete: ['scheduled'],
};

/**
 * Reads a subscription at its customer's now, which is never before its last change: the clock may have stepped back since,
 * or be another server's. What was just sold has begun, and can be cancelled.
 * @throws RequestProblem 404
 */
export async function open(scope: Scope, id: string): Promise<Opened> {
  const subscription = await subscriptionRepository(scope).byId(id);
  if (subscription === undefined) throw subscriptionNotFound(id);
  const { clock } = await customerScope(scope, subscription.customerId);
  return { subscription, nowMs: Math.max(clock.nowMs(), subscription.updatedAtMs) };
}

/** @throws DomainProblem 403 when the subscription's state does not allow the action @throws RequestProblem 404 */
export async function openFor(scope: Scope, id: string, action: SubscriptionAction): Promise<Opened> {
  const opened = await open(scope, id);
  const status = statusAt(opened.subscription, opened.nowMs);
  if (!ALLOWED[action].includes(status)) throw transitionNotAllowed(action, status);
  return opened;
}

/** The customers of the same transaction. */
export function customersOf(scope: Scope) {
  return createCustomers({ scope });
}

/** The subscription with the items that follow from it now. */
function withItems({ newId }: Scope, changed: Subscription, nowMs: number): Subscription {
  return { ...changed, updatedAtMs: nowMs, items: reconcileItems(changed, changed.items, newId) };
}

/** Stores a change with the items that follow from it. */
export async function save(scope: Scope, changed: Subscription, nowMs: number): Promise<Subscription> {
  const subscription = withItems(scope, changed, nowMs);
  await subscriptionRepository(scope).update(subscription);
  return subscription;
}

/**
 * A transaction over a customer's subscriptions; whoever listens is told once it is stored.
 * @param customerId whose they are, found before it begins
 */
export async function changing<Result>(
  deps: SubscriptionDeps,
  customerId: string,
  work: (scope: Scope) => Promise<Result>,
): Promise<Result> {
  const result = await deps.scope.transaction(work, [customerLock(customerId)]);
  await deps.onChange?.(customerId);
  return result;
}

/** As `changing`, of the subscription with this id: it stays its customer's for ever. @throws RequestProblem 404 */
export async function changingOne<Result>(
  deps: SubscriptionDeps,
  id: string,
  work: (scope: Scope) => Promise<Result>,
): Promise<Result> {
  const customerId = await subscriptionRepository(deps.scope).customerOf(id);
  if (customerId === undefined) throw subscriptionNotFound(id);
  return changing(deps, customerId, work);
}
