import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { cursorOf } from './events.ts';

export type CreditGrant = components['schemas']['BillingCreditGrant'];
export type CreateCreditGrant = components['schemas']['CreateCreditGrantRequest'];
export type CreateCreditAdjustment = components['schemas']['CreateCreditAdjustmentRequest'];
export type CreditTransaction = components['schemas']['BillingCreditTransaction'];

type OfCustomer = MaybeRefOrGetter<string>;
type Parameters = MaybeRefOrGetter<Record<string, string>>;

/** What a customer has, by currency. */
export function useCreditBalance(customerId: OfCustomer, parameters: Parameters) {
  return useQuery({
    queryKey: ['credits', 'balance', customerId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/credits/balance', {
          params: { path: { customerId: toValue(customerId) }, query: toValue(parameters) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** The newest first. */
export function useCreditGrants(customerId: OfCustomer, parameters: Parameters) {
  return useQuery({
    queryKey: ['credits', 'grants', customerId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/credits/grants', {
          params: { path: { customerId: toValue(customerId) }, query: toValue(parameters) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** What happened to the balance, the newest first, a page at a time. */
export function useCreditTransactions(customerId: OfCustomer, parameters: Parameters) {
  return useInfiniteQuery({
    queryKey: ['credits', 'transactions', customerId, parameters],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/credits/transactions', {
          params: {
            path: { customerId: toValue(customerId) },
            query: {
              ...toValue(parameters),
              'page[size]': '20',
              ...(pageParam !== '' && { 'page[after]': pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => cursorOf(last.meta.page.next),
  });
}

interface OfGrant {
  customerId: string;
  creditGrantId: string;
}

/** What changes credits; what shows the customer's money is read again. */
export function useCreditChanges() {
  const queries = useQueryClient();
  const onSuccess = () =>
    Promise.all(['credits', 'invoices'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  return {
    grant: useMutation({
      mutationFn: ({ customerId, body }: { customerId: string; body: CreateCreditGrant }) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/credits/grants', { params: { path: { customerId } }, body }),
        ),
      onSuccess,
    }),
    adjust: useMutation({
      mutationFn: ({ customerId, body }: { customerId: string; body: CreateCreditAdjustment }) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/credits/adjustments', {
            params: { path: { customerId } },
            body,
          }),
        ),
      onSuccess,
    }),
    voidGrant: useMutation({
      mutationFn: (path: OfGrant) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/credits/grants/{creditGrantId}/void', {
            params: { path },
            body: { payment_adjustment: 'none' },
          }),
        ),
      onSuccess,
    }),
    settle: useMutation({
      mutationFn: (path: OfGrant) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/credits/grants/{creditGrantId}/settlement/external', {
            params: { path },
            body: { status: 'settled' },
          }),
        ),
      onSuccess,
    }),
  };
}
