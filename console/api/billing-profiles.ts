import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { refuseIfChanged } from './problem.ts';

export type BillingProfile = components['schemas']['BillingProfile'];
export type CreateBillingProfile = components['schemas']['CreateBillingProfileRequest'];
export type AdjustmentSettings = components['schemas']['BillingAdjustmentSettings'];

/** A page of billing profiles. */
export function useBillingProfiles(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['billing-profiles', 'list', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/profiles', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** One profile with its settings for what changes after it was billed. */
export function useBillingProfile(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['billing-profiles', 'one', id],
    queryFn: async ({ signal }) => {
      const params = { path: { id: toValue(id) } };
      const [profile, adjustments] = await Promise.all([
        call(api.GET('/v3/openmeter/profiles/{id}', { params, signal })),
        call(api.GET('/v3/openmeter/profiles/{id}/adjustment-settings', { params, signal })),
      ]);
      return { profile, adjustments };
    },
  });
}

export type DocumentSettings = components['schemas']['DocumentSettings'];
export type NumberingSettings = components['schemas']['InvoiceNumberingSettings'];
export type CustomerDocumentSettings = components['schemas']['CustomerDocumentSettings'];

/** What documents of a profile say, and how its invoices are numbered. */
export function useProfileDocument(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['billing-profiles', 'document', id],
    queryFn: async ({ signal }) => {
      const params = { path: { id: toValue(id) } };
      const [document, numbering] = await Promise.all([
        call(api.GET('/v3/openmeter/profiles/{id}/document-settings', { params, signal })),
        call(api.GET('/v3/openmeter/profiles/{id}/numbering', { params, signal })),
      ]);
      return { document, numbering };
    },
  });
}

export function useProfileDocumentChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['billing-profiles', 'document'] });
  return {
    putDocument: useMutation({
      mutationFn: ({ id, body }: { id: string; body: DocumentSettings }) =>
        call(api.PUT('/v3/openmeter/profiles/{id}/document-settings', { params: { path: { id } }, body })),
      onSuccess,
    }),
    putNumbering: useMutation({
      mutationFn: ({ id, body }: { id: string; body: NumberingSettings }) =>
        call(api.PUT('/v3/openmeter/profiles/{id}/numbering', { params: { path: { id } }, body })),
      onSuccess,
    }),
  };
}

/** What documents say of a customer. */
export function useCustomerDocument(customerId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['billing-profiles', 'customer-document', customerId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/document-settings', {
          params: { path: { customerId: toValue(customerId) } },
          signal,
        }),
      ),
  });
}

export function useCustomerDocumentChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ customerId, body }: { customerId: string; body: CustomerDocumentSettings }) =>
      call(
        api.PUT('/v3/openmeter/customers/{customerId}/document-settings', { params: { path: { customerId } }, body }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['billing-profiles', 'customer-document'] }),
  });
}

/** How a document with these settings looks, as a page. */
export function useDocumentPreview() {
  return useMutation({
    mutationFn: async ({ id, body }: { id: string; body: DocumentSettings }) => {
      const params = { path: { id } };
      return call(api.POST('/v3/openmeter/profiles/{id}/document-settings/preview', { params, body, parseAs: 'text' }));
    },
  });
}

export type CustomerBilling = components['schemas']['BillingCustomerData'];

/** What a customer has of its own: a billing profile, data of apps. */
export function useCustomerBilling(customerId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['billing-profiles', 'customer', customerId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/billing', {
          params: { path: { customerId: toValue(customerId) } },
          signal,
        }),
      ),
  });
}

export function useCustomerBillingChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ customerId, body }: { customerId: string; body: CustomerBilling }) =>
      call(api.PUT('/v3/openmeter/customers/{customerId}/billing', { params: { path: { customerId } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['billing-profiles', 'customer'] }),
  });
}

export function useBillingProfileChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['billing-profiles'] });
  const putAdjustments = (id: string, body: AdjustmentSettings) =>
    call(api.PUT('/v3/openmeter/profiles/{id}/adjustment-settings', { params: { path: { id } }, body }));
  return {
    create: useMutation({
      mutationFn: async ({ body, adjustments }: { body: CreateBillingProfile; adjustments: AdjustmentSettings }) => {
        const profile = await call(api.POST('/v3/openmeter/profiles', { body }));
        await putAdjustments(profile.id, adjustments);
        return profile;
      },
      onSuccess,
    }),
    /** Apps stay as they are. @throws ApiProblem 409 when somebody changed the profile since it was read */
    put: useMutation({
      mutationFn: async (change: {
        read: BillingProfile;
        body: CreateBillingProfile;
        adjustments: AdjustmentSettings;
      }) => {
        const params = { path: { id: change.read.id } };
        refuseIfChanged('profile', change.read, await call(api.GET('/v3/openmeter/profiles/{id}', { params })));
        const { apps: _apps, ...body } = change.body;
        const profile = await call(api.PUT('/v3/openmeter/profiles/{id}', { params, body }));
        await putAdjustments(profile.id, change.adjustments);
        return profile;
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (id: string) => call(api.DELETE('/v3/openmeter/profiles/{id}', { params: { path: { id } } })),
      onSuccess,
    }),
  };
}
