import { type Addon, addonStatusAt } from '../../catalog/addons/index.ts';
import type { PlanAddon } from '../../catalog/plans/index.ts';
import { notFound } from '../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { withQuantity } from './addon-timeline.ts';
import { refuseOverlaps, refuseUnbillable } from './checks.ts';
import type { SubscriptionDeps } from './deps.ts';
import { conflict, invalidField, subscriptionAddonNotFound } from './errors.ts';
import { toAddonBody } from './mapping.ts';
import { placePhases, statusAt } from './phases.ts';
import type { CreateSubscriptionAddon, SubscriptionAddonSortField, UpdateSubscriptionAddon } from './schema.ts';
import { changingOne, open, openFor, save } from './stored.ts';
import { resolveAddonChange } from './timing.ts';
import type { PurchasedAddon, Subscription } from './types.ts';

export const SUBSCRIPTION_ADDON_SORT: SortRules<SubscriptionAddonSortField> = {
  fields: ['created_at', 'id', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};

type AddonBody = ReturnType<typeof toAddonBody>;

export interface SubscriptionAddonService {
  /** @throws RequestProblem 400, 404 @throws DomainProblem 403, 409 when it was bought before */
  create(subscriptionId: string, request: CreateSubscriptionAddon): Promise<AddonBody>;
  /** Another quantity from an instant on; 0 gives it up. @throws RequestProblem 400, 404 @throws DomainProblem 403, 409 */
  update(subscriptionId: string, addonId: string, request: UpdateSubscriptionAddon): Promise<AddonBody>;
  /** @throws RequestProblem 404 */
  get(subscriptionId: string, addonId: string): Promise<AddonBody>;
  /** Also those that were given up. @throws RequestProblem 404 */
  list(
    subscriptionId: string,
    sort: Sort<SubscriptionAddonSortField>,
    page: PageRequest,
  ): Promise<{ data: AddonBody[]; meta: ReturnType<typeof pageMeta> }>;
}

export function createSubscriptionAddonService(deps: SubscriptionDeps): SubscriptionAddonService {
  return {
    create: (subscriptionId, request) =>
      changingOne(deps, subscriptionId, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, subscriptionId, 'change_addons');
        const atMs = resolveAddonChange(subscription, request.timing, nowMs);
        if (subscription.addons.some((bought) => bought.addonId === request.addon.id)) {
          throw conflict('subscription already has that addon purchased: change its quantity');
        }
        const addon = await findOffer(deps, scope, subscription, request.addon.id, request.quantity, atMs);
        const bought = buy(deps, addon, request, atMs, nowMs);
        const saved = await save(scope, { ...subscription, addons: [...subscription.addons, bought] }, nowMs);
        await refuseUnbillable(deps, scope, saved);
        await refuseOverlaps(scope, saved);
        return toAddonBody(saved, bought, nowMs);
      }),
    update: (subscriptionId, addonId, request) =>
      changingOne(deps, subscriptionId, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, subscriptionId, 'change_addons');
        const before = findBought(subscription, addonId);
        const atMs = resolveAddonChange(subscription, request.timing, nowMs);
        await findOffer(deps, scope, subscription, before.addonId, request.quantity, atMs);
        const timeline = withQuantity(before.timeline, atMs, request.quantity);
        const changed = { ...before, timeline, updatedAtMs: nowMs };
        const addons = subscription.addons.map((bought) => (bought.id === addonId ? changed : bought));
        const saved = await save(scope, { ...subscription, addons }, nowMs);
        await refuseOverlaps(scope, saved);
        return toAddonBody(saved, changed, nowMs);
      }),
    get: async (subscriptionId, addonId) => {
      const { subscription, nowMs } = await open(deps.scope, subscriptionId);
      return toAddonBody(subscription, findBought(subscription, addonId), nowMs);
    },
    list: async (subscriptionId, sort, page) => {
      const { subscription, nowMs } = await open(deps.scope, subscriptionId);
      const sorted = sortAddons(subscription.addons, sort);
      const data = sorted.slice((page.number - 1) * page.size, page.number * page.size);
      return {
        data: data.map((bought) => toAddonBody(subscription, bought, nowMs)),
        meta: pageMeta(page, sorted.length),
      };
    },
  };
}

function findBought(subscription: Subscription, id: string): PurchasedAddon {
  const bought = subscription.addons.find((addon) => addon.id === id);
  if (bought === undefined) throw subscriptionAddonNotFound(id);
  return bought;
}

function sortAddons(addons: readonly PurchasedAddon[], { field, direction }: Sort<SubscriptionAddonSortField>) {
  const keyOf = (addon: PurchasedAddon): string =>
    field === 'id' ? '' : formatInstant(field === 'created_at' ? addon.createdAtMs : addon.updatedAtMs);
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = addons.toSorted((a, b) => compare(keyOf(a), keyOf(b)) || compare(a.id, b.id));
  return direction === 'desc' ? sorted.reverse() : sorted;
}

/** @throws RequestProblem 400 for each rule of what a subscription can have, 404 for an unknown add-on */
async function findOffer(
  { addons, plans }: SubscriptionDeps,
  scope: Scope,
  subscription: Subscription,
  addonId: string,
  quantity: number,
  atMs: number,
): Promise<Addon> {
  const addon = (await addons.findByIds([addonId], scope)).get(addonId);
  if (addon === undefined) throw notFound('addon', addonId);
  const status = statusAt(subscription, atMs);
  if (status !== 'active') throw invalidField('timing', `the subscription is ${status} at ${formatInstant(atMs)}`);
  if (subscription.plan === undefined) throw invalidField('addon', 'a subscription to a custom plan has no add-ons');
  const offers = await plans.findAddons(subscription.plan.id, scope);
  const offer = offers.find((candidate) => candidate.addonId === addonId);
  if (offer === undefined) {
    const { key, version } = subscription.plan;
    throw invalidField('addon', `${addon.key} v${addon.version} is not linked to plan ${key} v${version}`);
  }
  const isBought = subscription.addons.some((bought) => bought.addonId === addonId);
  if (!isBought && addonStatusAt(addon, scope.clock.nowMs()) !== 'active') {
    throw invalidField('addon', `${addon.key} v${addon.version} is not active`);
  }
  refuseQuantity(addon, offer, quantity);
  refuseEarlyPhase(subscription, offer, atMs);
  return addon;
}

function refuseQuantity(addon: Addon, { maxQuantity }: PlanAddon, quantity: number): void {
  if (addon.instanceType === 'single' && quantity > 1) {
    throw invalidField('quantity', 'must be 1: the add-on can be had once');
  }
  if (maxQuantity !== undefined && quantity > maxQuantity) {
    throw invalidField('quantity', `must be at most ${maxQuantity} with this plan`);
  }
}

function refuseEarlyPhase(subscription: Subscription, { fromPlanPhase }: PlanAddon, atMs: number): void {
  const from = placePhases(subscription).find(({ phase }) => phase.key === fromPlanPhase);
  if (from !== undefined && atMs >= from.fromMs) return;
  throw invalidField('timing', `the add-on can be had from phase ${fromPlanPhase} on`);
}

function buy(
  { scope }: SubscriptionDeps,
  addon: Addon,
  request: CreateSubscriptionAddon,
  fromMs: number,
  nowMs: number,
): PurchasedAddon {
  const { description, labels } = request;
  return {
    id: scope.newId(),
    addonId: addon.id,
    name: request.name ?? addon.name,
    ...(description !== undefined && { description }),
    ...(labels !== undefined && { labels }),
    rateCards: addon.rateCards,
    timeline: [{ fromMs, quantity: request.quantity }],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
