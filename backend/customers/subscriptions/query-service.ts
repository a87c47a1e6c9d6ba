import { chargesNothing } from '../../catalog/rating/index.ts';
import { READING } from '../../platform/db/locks.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { customerScope, nowByCustomer } from '../test-clocks/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import { currencyIsSettled, customerHasPast, customerHasSubscriptions, subjectKeysAreSettled } from './errors.ts';
import { type SubscriptionBody, toSubscriptionBody } from './mapping.ts';
import { statusAt } from './phases.ts';
import { type SubscriptionChange, subscriptionRepository } from './repository.ts';
import type { SubscriptionFilterField, SubscriptionSortField } from './schema.ts';
import { open } from './stored.ts';
import { type SubscriptionView, subscriptionView } from './view.ts';

export const SUBSCRIPTION_SORT: SortRules<SubscriptionSortField> = {
  fields: ['active_from', 'id', 'active_to'],
  default: 'active_from',
  defaultDirection: 'asc',
};

/**
 * Subscriptions for the modules above. Each takes the transaction's scope inside one.
 */
export interface SubscriptionViews {
  /** Deleted ones are absent, as unknown ids are. */
  findView(id: string, scope: Scope): Promise<SubscriptionView | undefined>;
  /**
   * Subscriptions in force at some time within the period, or ended at its very beginning, the earliest first. Deleted
   * ones are left out.
   * @param customerIds undefined: of every customer
   */
  listActiveViews(
    customerIds: readonly string[] | undefined,
    period: Period,
    scope: Scope,
  ): Promise<SubscriptionView[]>;
  /** What has changed of a customer's subscriptions and was not followed yet, deleted ones included. */
  listChanges(customerId: string, scope: Scope): Promise<SubscriptionChange[]>;
  /** Notes that changes were followed, in the transaction that followed them. What changed meanwhile stays noted. */
  changesFollowed(changes: readonly SubscriptionChange[], scope: Scope): Promise<void>;
  /** Subscriptions by their ids, the earliest first; deleted and unknown ones are absent. */
  listViews(ids: readonly string[], scope: Scope): Promise<SubscriptionView[]>;
  /** Customers who have or had a subscription, by id, a page at a time: for jobs over all of them. */
  listCustomerIds(afterId: string | undefined, limit: number, scope: Scope): Promise<string[]>;
}

/** What subscriptions have against changes of their customer: to be handed to the modules of customers and test clocks. */
export interface SubscriptionBlockers {
  customerDeletion(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  subjectKeyChange(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  currencyChange(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  timeTravel(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
}

export interface SubscriptionQueries {
  /** Deleted ones are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<SubscriptionBody>;
  list(
    filters: readonly FilterCondition<SubscriptionFilterField>[],
    sort: Sort<SubscriptionSortField>,
    page: PageRequest,
  ): Promise<{ data: SubscriptionBody[]; meta: ReturnType<typeof pageMeta> }>;
}

export function createSubscriptionQueries(deps: SubscriptionDeps): SubscriptionQueries {
  return {
    get: async (id) => {
      const { subscription, nowMs } = await open(deps.scope, id);
      return toSubscriptionBody(subscription, nowMs);
    },
    list: (filters, sort, page) =>
      // One transaction, or the pages' count and their rows would be of different moments.
      deps.scope.transaction(async (scope) => {
        const now = await nowByCustomer(scope);
        const { subscriptions, total } = await subscriptionRepository(scope).page(filters, sort, page, now);
        const data = subscriptions.map((own) => toSubscriptionBody(own, now.of(own.customerId)));
        return { data, meta: pageMeta(page, total) };
      }, READING),
  };
}

export function createSubscriptionViews(): SubscriptionViews {
  return {
    findView: async (id, scope) => {
      const subscription = await subscriptionRepository(scope).byId(id);
      if (subscription === undefined || subscription.deletedAtMs !== undefined) return undefined;
      const { clock } = await customerScope(scope, subscription.customerId);
      return subscriptionView(subscription, clock.nowMs());
    },
    listActiveViews: async (customerIds, period, scope) => {
      const found = await subscriptionRepository(scope).within(customerIds, period);
      const now = await nowByCustomer(scope);
      return found.map((subscription) => subscriptionView(subscription, now.of(subscription.customerId)));
    },
    listChanges: (customerId, scope) => subscriptionRepository(scope).changes(customerId),
    changesFollowed: (changes, scope) => subscriptionRepository(scope).followed(changes),
    listViews: async (ids, scope) => {
      const living = (await subscriptionRepository(scope).byIds(ids)).filter(
        (found) => found.deletedAtMs === undefined,
      );
      const now = await nowByCustomer(scope);
      const views = living.map((subscription) => subscriptionView(subscription, now.of(subscription.customerId)));
      return views.sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1));
    },
    listCustomerIds: (afterId, limit, scope) => subscriptionRepository(scope).customerIds(afterId, limit),
  };
}

export function createSubscriptionBlockers(): SubscriptionBlockers {
  const nowOf = async (customerId: string, scope: Scope) => (await customerScope(scope, customerId)).clock.nowMs();
  return {
    customerDeletion: async (customerId, scope) => {
      const ids = await subscriptionRepository(scope).openIds(customerId, await nowOf(customerId, scope));
      return ids.length === 0 ? undefined : customerHasSubscriptions(ids);
    },
    subjectKeyChange: async (customerId, scope) => {
      const nowMs = await nowOf(customerId, scope);
      const open = await subscriptionRepository(scope).ofCustomer(customerId, nowMs);
      const ids = open.filter((own) => statusAt(own, nowMs) !== 'scheduled').map((own) => own.id);
      return ids.length === 0 ? undefined : subjectKeysAreSettled(ids);
    },
    currencyChange: async (customerId, scope) => {
      const paid = (await subscriptionRepository(scope).ofCustomer(customerId, 0)).filter((own) =>
        own.phases.some((phase) => phase.items.some(({ rateCard }) => !chargesNothing(rateCard.terms.price))),
      );
      return paid.length === 0 ? undefined : currencyIsSettled(paid.map((own) => own.id));
    },
    timeTravel: async (customerId, scope) => {
      const ids = (await subscriptionRepository(scope).ofCustomer(customerId, 0)).map((own) => own.id);
      return ids.length === 0 ? undefined : customerHasPast(ids);
    },
  };
}
