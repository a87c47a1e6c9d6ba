import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';

export type TaxCode = components['schemas']['TaxCode'];
export type CreateTaxCode = components['schemas']['CreateTaxCodeRequest'];

export function useBillingProfiles(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['billing-profiles', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/profiles', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useApps(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['apps', parameters],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/apps', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useTaxCodes(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['tax-codes', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/tax-codes', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useTaxCodeChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['tax-codes'] });
  return {
    create: useMutation({
      mutationFn: (body: CreateTaxCode) => call(api.POST('/v3/openmeter/tax-codes', { body })),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (taxCodeId: string) =>
        call(api.DELETE('/v3/openmeter/tax-codes/{taxCodeId}', { params: { path: { taxCodeId } } })),
      onSuccess,
    }),
  };
}
