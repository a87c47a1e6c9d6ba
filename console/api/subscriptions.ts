import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';

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
    migrate: useMutation({
      mutationFn: ({ id, timing }: { id: string; timing: Timing }) =>
        call(api.POST('/v3/openmeter/subscriptions/{subscriptionId}/migrate', { params: one(id), body: { timing } })),
      onSuccess,
    }),
  };
}
