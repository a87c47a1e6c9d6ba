import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { refuseIfChanged } from './problem.ts';

export type TaxCode = components['schemas']['TaxCode'];
export type CreateTaxCode = components['schemas']['CreateTaxCodeRequest'];
export type UpsertTaxCode = components['schemas']['UpsertTaxCodeRequest'];

export function useApps(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['apps', parameters],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/apps', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export type App = components['schemas']['BillingApp'];
export type InstallApp = components['schemas']['BillingInstallAppRequest'];
export type UpdateApp = components['schemas']['BillingUpdateAppRequest'];

export function useAppChanges() {
  const queries = useQueryClient();
  const onSuccess = async () => {
    await queries.invalidateQueries({ queryKey: ['apps'] });
    await queries.invalidateQueries({ queryKey: ['billing-profiles'] });
  };
  return {
    install: useMutation({
      mutationFn: (body: InstallApp) => call(api.POST('/v3/openmeter/app-catalog/install', { body })),
      onSuccess,
    }),
    /** @throws ApiProblem 409 when somebody changed the app since it was read */
    put: useMutation({
      mutationFn: async ({ read, body }: { read: App; body: UpdateApp }) => {
        const params = { path: { appId: read.id } };
        refuseIfChanged<App>('app', read, await call(api.GET('/v3/openmeter/apps/{appId}', { params })));
        return call(api.PUT('/v3/openmeter/apps/{appId}', { params, body }));
      },
      onSuccess,
    }),
    uninstall: useMutation({
      mutationFn: (appId: string) => call(api.DELETE('/v3/openmeter/apps/{appId}', { params: { path: { appId } } })),
      onSuccess,
    }),
  };
}

/** What is taxed by which code where nothing else is said. */
export function useDefaultTaxCodes() {
  return useQuery({
    queryKey: ['tax-codes', 'defaults'],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/defaults/tax-codes', { signal })),
    retry: false,
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
    /** @throws ApiProblem 409 when somebody changed the tax code since it was read */
    put: useMutation({
      mutationFn: async ({ read, body }: { read: TaxCode; body: UpsertTaxCode }) => {
        const params = { path: { taxCodeId: read.id } };
        refuseIfChanged('tax code', read, await call(api.GET('/v3/openmeter/tax-codes/{taxCodeId}', { params })));
        return call(api.PUT('/v3/openmeter/tax-codes/{taxCodeId}', { params, body }));
      },
      onSuccess,
    }),
    setDefault: useMutation({
      mutationFn: (id: string) =>
        call(api.PUT('/v3/openmeter/defaults/tax-codes', { body: { invoicing_tax_code: { id } } })),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (taxCodeId: string) =>
        call(api.DELETE('/v3/openmeter/tax-codes/{taxCodeId}', { params: { path: { taxCodeId } } })),
      onSuccess,
    }),
  };
}
