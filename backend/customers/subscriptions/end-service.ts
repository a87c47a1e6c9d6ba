import type { Scope } from '../../platform/scope.ts';
import { refuseOverlaps } from './checks.ts';
import type { SubscriptionDeps } from './deps.ts';
import { conflict, transitionNotAllowed } from './errors.ts';
import { type SubscriptionBody, toSubscriptionBody } from './mapping.ts';
import { statusAt } from './phases.ts';
import { subscriptionRepository } from './repository.ts';
import { changingOne, open, openFor, save } from './stored.ts';
import { resolveEnd } from './timing.ts';
import type { Subscription } from './types.ts';

export interface EndService {
  /** @throws RequestProblem 400, 404 @throws DomainProblem 403 */
  cancel(id: string, timing: string): Promise<SubscriptionBody>;
  /** A canceled subscription goes on. @throws RequestProblem 404 @throws DomainProblem 403, 409 for a successor */
  continue(id: string): Promise<SubscriptionBody>;
  /** Deletes a subscription that is yet to begin. @throws RequestProblem 404 @throws DomainProblem 403 */
  unschedule(id: string): Promise<void>;
  /** Deletes the successors that are yet to begin, and goes on. @throws RequestProblem 404 @throws DomainProblem 403, 409 */
  restore(id: string): Promise<SubscriptionBody>;
}

export function createEndService(deps: SubscriptionDeps): EndService {
  return {
    cancel: (id, timing) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'cancel');
        const activeToMs = resolveEnd(subscription, timing, nowMs);
        return toSubscriptionBody(await save(scope, { ...subscription, activeToMs }, nowMs), nowMs);
      }),
    continue: (id) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'continue');
        const [successor] = await successors(scope, subscription);
        if (successor !== undefined) {
          throw conflict(`subscription ${successor.id} takes over: restore this one, or unschedule that one first`);
        }
        return toSubscriptionBody(await goOn(scope, subscription, nowMs), nowMs);
      }),
    unschedule: (id) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'delete');
        await unscheduled(scope, subscription, nowMs);
      }),
    restore: (id) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'restore');
        const next = await successors(scope, subscription);
        for (const successor of next) {
          const status = statusAt(successor, nowMs);
          if (status !== 'scheduled') throw transitionNotAllowed('delete', status);
        }
        for (const successor of next.toReversed()) await unscheduled(scope, successor, nowMs);
        const { subscription: alone } = await open(scope, id);
        return toSubscriptionBody(await goOn(scope, alone, nowMs), nowMs);
      }),
  };
}

/** The one that takes over, the one that takes over from that, and so on. */
async function successors(scope: Scope, { supersedingId }: Subscription): Promise<Subscription[]> {
  if (supersedingId === undefined) return [];
  const next = await subscriptionRepository(scope).byId(supersedingId);
  if (next === undefined || next.deletedAtMs !== undefined) return [];
  return [next, ...(await successors(scope, next))];
}

/** Without an end again; its items come back with their versions. */
async function goOn(scope: Scope, subscription: Subscription, nowMs: number): Promise<Subscription> {
  const { activeToMs: _, ...endless } = subscription;
  const saved = await save(scope, endless, nowMs);
  await refuseOverlaps(scope, saved);
  return saved;
}

async function unscheduled(scope: Scope, subscription: Subscription, nowMs: number): Promise<void> {
  await save(scope, { ...subscription, deletedAtMs: nowMs }, nowMs);
  if (subscription.previousId === undefined) return;
  const { subscription: previous } = await open(scope, subscription.previousId);
  const { supersedingId: _, ...alone } = previous;
  await save(scope, alone, nowMs);
}
