import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type AccessToken = components['schemas']['AccessToken'];
export type CreateAccessToken = components['schemas']['CreateAccessTokenRequest'];
export type AccessTokenRole = components['schemas']['AccessTokenRole'];

/** Roles as people read them, and what they are for. */
export const ROLE_TITLES: Record<AccessTokenRole, { title: string; help: string }> = {
  admin: { title: 'Metering & Billing Admin', help: 'Everything, tokens and the audit log included.' },
  billing_admin: {
    title: 'Billing Admin',
    help: 'Catalog, customers, subscriptions, entitlements and invoices. No meters, apps, tokens or changed events.',
  },
  viewer: { title: 'Viewer', help: 'Reads everything but tokens and the audit log.' },
  ingest: { title: 'Ingest', help: 'Sends events and sees nothing: for the metering plugin and collectors.' },
  enforcement: { title: 'Enforcement', help: 'Asks what customers may use: for the enforcing plugin.' },
};

/** The title of a role; one that this console does not know stays as it is. */
export function roleTitle(role: string): string {
  return ROLE_TITLES[role as AccessTokenRole]?.title ?? role;
}

export function useAccessTokens(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['access-tokens', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/access-tokens', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useAccessTokenChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['access-tokens'] });
  return {
    /** Its answer carries the token. It is kept nowhere but where it is shown. */
    create: useMutation({
      mutationFn: (body: CreateAccessToken) => call(api.POST('/v3/openmeter/access-tokens', { body })),
      onSuccess,
      gcTime: 0,
    }),
    revoke: useMutation({
      mutationFn: (accessTokenId: string) =>
        call(api.DELETE('/v3/openmeter/access-tokens/{accessTokenId}', { params: { path: { accessTokenId } } })),
      onSuccess,
    }),
  };
}
