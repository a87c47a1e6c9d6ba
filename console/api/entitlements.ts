import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Entitlement = components['schemas']['Entitlement'];
export type EntitlementAccess = components['schemas']['EntitlementAccessValue'];
export type CreateEntitlement = components['schemas']['CreateEntitlementRequest'];
export type CreateGrant = components['schemas']['CreateEntitlementGrantRequest'];
export type Grant = components['schemas']['EntitlementGrant'];
export type ResetUsage = components['schemas']['ResetEntitlementUsageRequest'];

/** A customer's entitlements in force with what is left of them, by feature. */
export function useEntitlements(customerId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['customers', 'entitlements', customerId],
    queryFn: async ({ signal }) => {
      const path = { customerId: toValue(customerId) };
      const [{ data }, access] = await Promise.all([
        call(
          api.GET('/v3/openmeter/customers/{customerId}/entitlements', {
            params: { path, query: { 'page[size]': '1000' } },
            signal,
          }),
        ),
        call(api.GET('/v3/openmeter/customers/{customerId}/entitlement-access', { params: { path }, signal })),
      ]);
      const byFeature = new Map(access.data.map((entry) => [entry.feature_key, entry]));
      const accessOf = (entitlement: Entitlement) =>
        entitlement.type !== 'metered'
          ? Promise.resolve(byFeature.get(entitlement.feature.key))
          : call(
              api.GET('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/value', {
                params: { path: { ...path, entitlementId: entitlement.id }, query: { expand: 'value' } },
                signal,
              }),
            );
      return {
        data: await Promise.all(
          data.map(async (entitlement) => ({ entitlement, access: await accessOf(entitlement) })),
        ),
      };
    },
  });
}

interface Of {
  customerId: string;
  entitlementId: string;
}

export function useGrants(of: MaybeRefOrGetter<Of>) {
  return useQuery({
    queryKey: ['customers', 'grants', of],
    queryFn: async ({ signal }) => {
      const data = await call(
        api.GET('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/grants', {
          params: { path: toValue(of) },
          signal,
        }),
      );
      return { data: Array.isArray(data) ? data : data.data };
    },
  });
}

/** Usage and balance since the last reset, a day at a time. */
export function useEntitlementHistory(of: MaybeRefOrGetter<Of>) {
  return useQuery({
    queryKey: ['customers', 'entitlement-history', of],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/history', {
          params: { path: toValue(of), query: { window_size: 'P1D' } },
          signal,
        }),
      ),
  });
}

/** What changes entitlements; each change has everything of the customer read again. */
export function useEntitlementChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['customers'] });
  return {
    create: useMutation({
      mutationFn: ({ customerId, body }: { customerId: string; body: CreateEntitlement }) =>
        call(api.POST('/v3/openmeter/customers/{customerId}/entitlements', { params: { path: { customerId } }, body })),
      onSuccess,
    }),
    override: useMutation({
      mutationFn: ({ body, ...path }: Of & { body: CreateEntitlement }) =>
        call(
          api.PUT('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/override', {
            params: { path },
            body,
          }),
        ),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (path: Of) =>
        call(api.DELETE('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}', { params: { path } })),
      onSuccess,
    }),
    grant: useMutation({
      mutationFn: ({ body, ...path }: Of & { body: CreateGrant }) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/grants', {
            params: { path },
            body,
          }),
        ),
      onSuccess,
    }),
    voidGrant: useMutation({
      mutationFn: (grantId: string) =>
        call(api.DELETE('/v3/openmeter/grants/{grantId}', { params: { path: { grantId } } })),
      onSuccess,
    }),
    reset: useMutation({
      mutationFn: ({ body, ...path }: Of & { body: ResetUsage }) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/entitlements/{entitlementId}/reset', {
            params: { path },
            body,
          }),
        ),
      onSuccess,
    }),
  };
}
