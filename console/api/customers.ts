import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { refuseIfChanged } from './problem.ts';

export type Customer = components['schemas']['BillingCustomer'];
export type CreateCustomer = components['schemas']['CreateCustomerRequest'];
export type PutCustomer = components['schemas']['UpsertCustomerRequest'];

/** A page of customers. */
export function useCustomers(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['customers', 'list', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/customers', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useCustomer(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['customers', 'one', id],
    enabled: () => toValue(id) !== '',
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/customers/{customerId}', { params: { path: { customerId: toValue(id) } }, signal })),
  });
}

/** For selects. */
export const customerSource = { useList: useCustomers, useOne: useCustomer };

/** Two may have the same name. */
export const customerText = ({ name, key }: Customer): string => `${name} (${key})`;

/** What changes customers; each change has everything read again that names a customer. */
export function useCustomerChanges() {
  const queries = useQueryClient();
  const onSuccess = async () => {
    await queries.invalidateQueries({ queryKey: ['customers'] });
    await queries.invalidateQueries({ queryKey: ['events'] });
  };
  return {
    create: useMutation({
      mutationFn: (body: CreateCustomer) => call(api.POST('/v3/openmeter/customers', { body })),
      onSuccess,
    }),
    /** @throws ApiProblem 409 when somebody changed the customer since it was read */
    put: useMutation({
      mutationFn: async ({ read, body }: { read: Customer; body: PutCustomer }) => {
        const params = { path: { customerId: read.id } };
        refuseIfChanged('customer', read, await call(api.GET('/v3/openmeter/customers/{customerId}', { params })));
        return call(api.PUT('/v3/openmeter/customers/{customerId}', { params, body }));
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (customerId: string) =>
        call(api.DELETE('/v3/openmeter/customers/{customerId}', { params: { path: { customerId } } })),
      onSuccess,
    }),
  };
}
