import { chargesNothing } from '../../catalog/rating/index.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { Period } from '../../platform/period/index.ts';
import { clockOf, nowByCustomer } from '../test-clocks/index.ts';
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
 * Subscriptions for the modules above. Each takes the handle of the transaction inside one: without it the call would
 * wait for that transaction for ever.
 */
export interface SubscriptionViews {
  /** Deleted ones are absent, as unknown ids are. */
  findView(id: string, db?: ControlDb): Promise<SubscriptionView | undefined>;
  /**
   * Subscriptions in force at some time within the period, or ended at its very beginning, the earliest first. Deleted
   * ones are left out.
   * @param customerIds undefined: of every customer
   */
  listActiveViews(
    customerIds: readonly string[] | undefined,
    period: Period,
    db?: ControlDb,
  ): Promise<SubscriptionView[]>;
  /** What has changed of a customer's subscriptions and was not followed yet, deleted ones included. */
  listChanges(customerId: string, db?: ControlDb): Promise<SubscriptionChange[]>;
  /** Notes that changes were followed, in the transaction that followed them. What changed meanwhile stays noted. */
  changesFollowed(changes: readonly SubscriptionChange[], db: ControlDb): Promise<void>;
  /** Subscriptions by their ids, the earliest first; deleted and unknown ones are absent. */
  listViews(ids: readonly string[], db?: ControlDb): Promise<SubscriptionView[]>;
  /** Customers who have or had a subscription, by id, a page at a time: for jobs over all of them. */
  listCustomerIds(afterId: string | undefined, limit: number, db?: ControlDb): Promise<string[]>;
}

/** What subscriptions have against changes of their customer: to be handed to the modules of customers and test clocks. */
export interface SubscriptionBlockers {
  customerDeletion(customerId: string, db: ControlDb): Promise<DomainProblem | undefined>;
  subjectKeyChange(customerId: string, db: ControlDb): Promise<DomainProblem | undefined>;
  currencyChange(customerId: string, db: ControlDb): Promise<DomainProblem | undefined>;
  timeTravel(customerId: string, db: ControlDb): Promise<DomainProblem | undefined>;
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
      const { subscription, nowMs } = await open(deps, deps.db, id);
      return toSubscriptionBody(subscription, nowMs);
    },
    list: (filters, sort, page) =>
      // One transaction, or the pages' count and their rows would be of different moments.
      deps.db.transaction(async (trx) => {
        const now = await nowByCustomer(trx, deps.clock);
        const { subscriptions, total } = await subscriptionRepository(trx).page(filters, sort, page, now);
        const data = subscriptions.map((own) => toSubscriptionBody(own, now.of(own.customerId)));
        return { data, meta: pageMeta(page, total) };
      }),
  };
}

export function createSubscriptionViews({ db: ownDb, clock }: SubscriptionDeps): SubscriptionViews {
  return {
    findView: async (id, db = ownDb) => {
      const subscription = await subscriptionRepository(db).byId(id);
      if (subscription === undefined || subscription.deletedAtMs !== undefined) return undefined;
      const { nowMs } = await clockOf(db, clock, subscription.customerId);
      return subscriptionView(subscription, nowMs());
    },
    listActiveViews: async (customerIds, period, db = ownDb) => {
      const found = await subscriptionRepository(db).within(customerIds, period);
      const now = await nowByCustomer(db, clock);
      return found.map((subscription) => subscriptionView(subscription, now.of(subscription.customerId)));
    },
    listChanges: (customerId, db = ownDb) => subscriptionRepository(db).changes(customerId),
    changesFollowed: (changes, db) => subscriptionRepository(db).followed(changes),
    listViews: async (ids, db = ownDb) => {
      const living = (await subscriptionRepository(db).byIds(ids)).filter((own) => own.deletedAtMs === undefined);
      const now = await nowByCustomer(db, clock);
      const views = living.map((subscription) => subscriptionView(subscription, now.of(subscription.customerId)));
      return views.sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1));
    },
    listCustomerIds: (afterId, limit, db = ownDb) => subscriptionRepository(db).customerIds(afterId, limit),
  };
}

/** @param clock real time */
export function createSubscriptionBlockers({ clock }: Pick<SubscriptionDeps, 'clock'>): SubscriptionBlockers {
  const nowOf = async (customerId: string, db: ControlDb) => (await clockOf(db, clock, customerId)).nowMs();
  return {
    customerDeletion: async (customerId, db) => {
      const ids = await subscriptionRepository(db).openIds(customerId, await nowOf(customerId, db));
      return ids.length === 0 ? undefined : customerHasSubscriptions(ids);
    },
    subjectKeyChange: async (customerId, db) => {
      const nowMs = await nowOf(customerId, db);
      const open = await subscriptionRepository(db).ofCustomer(customerId, nowMs);
      const ids = open.filter((own) => statusAt(own, nowMs) !== 'scheduled').map((own) => own.id);
      return ids.length === 0 ? undefined : subjectKeysAreSettled(ids);
    },
    currencyChange: async (customerId, db) => {
      const paid = (await subscriptionRepository(db).ofCustomer(customerId, 0)).filter((own) =>
        own.phases.some((phase) => phase.items.some(({ rateCard }) => !chargesNothing(rateCard.terms.price))),
      );
      return paid.length === 0 ? undefined : currencyIsSettled(paid.map((own) => own.id));
    },
    timeTravel: async (customerId, db) => {
      const ids = (await subscriptionRepository(db).ofCustomer(customerId, 0)).map((own) => own.id);
      return ids.length === 0 ? undefined : customerHasPast(ids);
    },
  };
}
