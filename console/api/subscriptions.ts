import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Subscription = components['schemas']['BillingSubscription'];
export type CreateSubscription = components['schemas']['BillingSubscriptionCreate'];
export type ChangeSubscription = components['schemas']['BillingSubscriptionChange'];
/** "immediate", "next_billing_cycle", or an instant. */
export type Timing = ChangeSubscription['timing'];

/** A page of subscriptions. */
export function useSubscriptions(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['subscriptions', 'list', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/subscriptions', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** One subscription. @param id none: it is not asked for */
export function useSubscription(id: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ['subscriptions', 'one', id],
    enabled: () => toValue(id) !== undefined,
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/subscriptions/{subscriptionId}', {
          params: { path: { subscriptionId: toValue(id) ?? '' } },
          signal,
        }),
      ),
  });
}

/** How many subscriptions each version of a plan has, by the version's id. */
export function useSubscriberCounts(planIds: MaybeRefOrGetter<readonly string[]>) {
  return useQuery({
    queryKey: ['subscriptions', 'counts', planIds],
    queryFn: async ({ signal }) => {
      const count = async (planId: string) => {
        const query = { 'filter[plan_id]': planId, 'page[size]': '1' };
        const { meta } = await call(api.GET('/v3/openmeter/subscriptions', { params: { query }, signal }));
        return [planId, meta.page.total] as const;
      };
      return new Map(await Promise.all(toValue(planIds).map(count)));
    },
  });
}

export type SubscriptionAddon = components['schemas']['SubscriptionAddon'];
export type BuyAddon = components['schemas']['CreateSubscriptionAddonRequest'];

/** Add-ons that were bought on a subscription. */
export function useSubscriptionAddons(subscriptionId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['subscriptions', 'addons', subscriptionId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/subscriptions/{subscriptionId}/addons', {
          params: { path: { subscriptionId: toValue(subscriptionId) }, query: { 'page[size]': '100' } },
          signal,
        }),
      ),
  });
}

/** What changes subscriptions; each change has everything read again that follows from one. */
export function useSubscriptionChanges() {
  const queries = useQueryClient();
  const onSuccess = async () => {
    await queries.invalidateQueries({ queryKey: ['subscriptions'] });
    await queries.invalidateQueries({ queryKey: ['invoices'] });
    await queries.invalidateQueries({ queryKey: ['customers'] });
  };
  const one = (subscriptionId: string) => ({ path: { subscriptionId } });
  return {
    create: useMutation({
      mutationFn: (body: CreateSubscription) => call(api.POST('/v3/openmeter/subscriptions', { body })),
      onSuccess,
    }),
    change: useMutation({
      mutationFn: ({ id, body }: { id: string; body: ChangeSubscription }) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/change', { params: one(id), body })),
      onSuccess,
    }),
    cancel: useMutation({
      mutationFn: ({ id, timing }: { id: string; timing: Timing }) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/cancel', { params: one(id), body: { timing } })),
      onSuccess,
    }),
    unscheduleCancelation: useMutation({
      mutationFn: (id: string) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/unschedule-cancelation', { params: one(id) })),
      onSuccess,
    }),
    /** Takes back a change of plan that has not begun. */
    restore: useMutation({
      mutationFn: (id: string) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/restore', { params: one(id) })),
      onSuccess,
    }),
    buyAddon: useMutation({
      mutationFn: ({ id, body }: { id: string; body: BuyAddon }) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/addons', { params: one(id), body })),
      onSuccess,
    }),
    setAddonQuantity: useMutation({
      mutationFn: (change: { id: string; addonId: string; quantity: number; timing: Timing }) => {
        const path = { subscriptionId: change.id, subscriptionAddonId: change.addonId };
        const body = { quantity: change.quantity, timing: change.timing };
        return call(
          api.PATCH('/v3/openmeter/subscriptions/{subscriptionId}/addons/{subscriptionAddonId}', {
            params: { path },
            body,
          }),
        );
      },
      onSuccess,
    }),
    migrate: useMutation({
      mutationFn: ({ id, timing }: { id: string; timing: Timing }) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/migrate', { params: one(id), body: { timing } })),
      onSuccess,
    }),
  };
}
