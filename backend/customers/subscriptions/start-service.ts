import { parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { customerScope } from '../test-clocks/index.ts';
import { agreePhases } from './agreement.ts';
import { findBuyer, refuseOverlaps, refuseUnbillable, refuseWithoutCostBasis, settleCurrency } from './checks.ts';
import type { SubscriptionDeps } from './deps.ts';
import { type SubscriptionBody, toSubscriptionBody } from './mapping.ts';
import { findPlanSource, type PlanSource } from './plan-source.ts';
import { reconcileItems } from './reconcile-items.ts';
import { subscriptionRepository } from './repository.ts';
import type { CreateSubscription } from './schema.ts';
import { changing, changingOne, customersOf, openFor, save } from './stored.ts';
import { resolveEnd, resolveStart } from './timing.ts';
import type { Subscription } from './types.ts';

/** A subscription and the one that takes over from it; both the same where it goes on. */
export interface ChangedSubscription {
  current: SubscriptionBody;
  next: SubscriptionBody;
}

export interface StartService {
  /**
   * Sells a plan to a customer, now or from an instant on.
   * @throws RequestProblem 400, 404, 412 for a deleted customer @throws DomainProblem 409 for a feature it has already
   */
  create(request: CreateSubscription): Promise<SubscriptionBody>;
  /**
   * Ends the subscription and has another one begin at that very instant.
   * @throws RequestProblem 400, 404 @throws DomainProblem 403, 409
   */
  change(id: string, request: CreateSubscription): Promise<ChangedSubscription>;
}

/** How a new subscription differs from what its plan says. */
export type StartTerms = Pick<
  CreateSubscription,
  'labels' | 'settlement_mode' | 'starting_phase' | 'billing_anchor' | 'cost_basis_mode'
>;

export function createStartService(deps: SubscriptionDeps): StartService {
  return {
    create: async (request) => {
      const { id: customerId } = await findBuyer(customersOf(deps.scope), request.customer);
      return changing(deps, customerId, async (scope) => {
        const nowMs = (await customerScope(scope, customerId)).clock.nowMs();
        const activeFromMs = resolveStart(request.timing, nowMs);
        const source = await findPlanSource(scope, deps, request, scope.clock.nowMs());
        const started = draft(deps, source, request, { customerId, activeFromMs, nowMs });
        return toSubscriptionBody(await begin(deps, scope, started, source), nowMs);
      });
    },
    change: (id, request) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'change');
        const atMs = resolveEnd(subscription, request.timing, nowMs);
        const source = await findPlanSource(scope, deps, request, scope.clock.nowMs());
        return replace(deps, scope, subscription, source, request, { atMs, nowMs });
      }),
  };
}

/** Ends a subscription where another one to the same customer begins. */
export async function replace(
  deps: SubscriptionDeps,
  scope: Scope,
  current: Subscription,
  source: PlanSource,
  terms: StartTerms,
  { atMs, nowMs }: { atMs: number; nowMs: number },
): Promise<ChangedSubscription> {
  const { customerId, billingAnchorMs, labels } = current;
  const started = draft(deps, source, terms, { customerId, activeFromMs: atMs, nowMs });
  const next = {
    ...started,
    ...(terms.billing_anchor === undefined && { billingAnchorMs }),
    ...(terms.labels === undefined && labels !== undefined && { labels }),
    previousId: current.id,
  };
  const begun = await begin(deps, scope, next, source);
  const ended = await save(scope, { ...current, activeToMs: atMs, supersedingId: next.id }, nowMs);
  return { current: toSubscriptionBody(ended, nowMs), next: toSubscriptionBody(begun, nowMs) };
}

function draft(
  { scope }: SubscriptionDeps,
  source: PlanSource,
  terms: StartTerms,
  { customerId, activeFromMs, nowMs }: { customerId: string; activeFromMs: number; nowMs: number },
): Omit<Subscription, 'invoiceCurrency' | 'items'> {
  const { name, description, plan, currency, billingCadence, proRatingEnabled } = source;
  const labels = terms.labels ?? source.labels;
  const anchorMs = terms.billing_anchor === undefined ? undefined : parseInstant(terms.billing_anchor);
  return {
    id: scope.newId(),
    customerId,
    name,
    ...(description !== undefined && { description }),
    ...(labels !== undefined && { labels }),
    ...(plan !== undefined && { plan }),
    currency,
    billingCadence,
    billingAnchorMs: anchorMs ?? activeFromMs,
    proRatingEnabled,
    settlementMode: terms.settlement_mode ?? source.settlementMode,
    costBasisMode: terms.cost_basis_mode,
    activeFromMs,
    phases: agreePhases(source.phases, terms.starting_phase, { newId: scope.newId, atMs: nowMs }),
    addons: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** Stores a new subscription once nothing stands in its way. */
async function begin(
  deps: SubscriptionDeps,
  scope: Scope,
  started: Omit<Subscription, 'invoiceCurrency' | 'items'>,
  source: PlanSource,
): Promise<Subscription> {
  const customers = customersOf(scope);
  const customer = await findBuyer(customers, { id: started.customerId });
  const invoiceCurrency = await settleCurrency(customers, customer, source);
  const agreed = { ...started, invoiceCurrency };
  const subscription = { ...agreed, items: reconcileItems(agreed, [], scope.newId) };
  await refuseUnbillable(deps, scope, subscription);
  await refuseWithoutCostBasis(deps, scope, subscription);
  await refuseOverlaps(scope, subscription, started.previousId === undefined ? [] : [started.previousId]);
  await subscriptionRepository(scope).insert(subscription);
  return subscription;
}
