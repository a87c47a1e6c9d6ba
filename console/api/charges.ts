import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Charge = components['schemas']['BillingCharge'];
export type CreateCharge = components['schemas']['CreateChargeRequest'];

/** A page of a customer's charges; those on usage with what they come to by now. */
export function useCharges(customerId: MaybeRefOrGetter<string>, parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['invoices', 'charges', customerId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/charges', {
          params: {
            path: { customerId: toValue(customerId) },
            query: { expand: 'real_time_usage', ...toValue(parameters) },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useCreateCharge(customerId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateCharge) =>
      call(
        api.POST('/v3/openmeter/customers/{customerId}/charges', {
          params: { path: { customerId: toValue(customerId) } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['invoices'] }),
  });
}
