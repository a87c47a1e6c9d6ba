import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';
import { refuseIfChanged } from './problem.ts';

export type Addon = components['schemas']['Addon'];
export type CreateAddon = components['schemas']['CreateAddonRequest'];
export type PlanAddon = components['schemas']['PlanAddon'];
export type CreatePlanAddon = components['schemas']['CreatePlanAddonRequest'];

/** A page of add-ons. */
export function useAddons(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['addons', 'list', parameters],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/addons', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** All versions of an add-on, the newest first. @param key none yet: undefined */
export function useAddonVersions(key: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ['addons', 'versions', key],
    enabled: () => toValue(key) !== undefined,
    queryFn: ({ signal }) => {
      const query = { 'filter[key]': toValue(key) ?? '', 'page[size]': '100', sort: 'version desc' };
      return call(api.GET('/v3/openmeter/addons', { params: { query }, signal }));
    },
  });
}

export function useAddon(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['addons', 'one', id],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/addons/{addonId}', { params: { path: { addonId: toValue(id) } }, signal })),
  });
}

/** What changes add-ons; each change has the lists read again. */
export function useAddonChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['addons'] });
  const act = (action: 'publish' | 'archive' | 'next') => (addonId: string) => {
    const params = { path: { addonId } };
    if (action === 'publish') return call(api.POST('/v3/openmeter/addons/{addonId}/publish', { params }));
    if (action === 'archive') return call(api.POST('/v3/openmeter/addons/{addonId}/archive', { params }));
    return call(api.POST('/v3/openmeter/addons/{addonId}/next', { params }));
  };
  return {
    create: useMutation({
      mutationFn: (body: CreateAddon) => call(api.POST('/v3/openmeter/addons', { body })),
      onSuccess,
    }),
    /** Puts the rate cards of a draft. @throws ApiProblem 409 when somebody changed the add-on since it was read */
    putRateCards: useMutation({
      mutationFn: async ({ addon, rateCards }: { addon: Addon; rateCards: Addon['rate_cards'] }) => {
        const params = { path: { addonId: addon.id } };
        const now = await call(api.GET('/v3/openmeter/addons/{addonId}', { params }));
        refuseIfChanged('add-on', addon, now);
        const { name, description, labels, instance_type } = now;
        const body = {
          name,
          instance_type,
          rate_cards: rateCards,
          ...(description !== undefined && { description }),
          ...(labels !== undefined && { labels }),
        };
        return call(api.PUT('/v3/openmeter/addons/{addonId}', { params, body }));
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (addonId: string) =>
        call(api.DELETE('/v3/openmeter/addons/{addonId}', { params: { path: { addonId } } })),
      onSuccess,
    }),
    publish: useMutation({ mutationFn: act('publish'), onSuccess }),
    archive: useMutation({ mutationFn: act('archive'), onSuccess }),
    next: useMutation({ mutationFn: act('next'), onSuccess }),
  };
}

/** The add-ons that can be bought with a version of a plan. */
export function usePlanAddons(planId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['plans', 'addons', planId],
    enabled: () => toValue(planId) !== '',
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/plans/{planId}/addons', {
          params: { path: { planId: toValue(planId) }, query: { 'page[size]': '100' } },
          signal,
        }),
      ),
  });
}

export function usePlanAddonChanges(planId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['plans'] });
  return {
    attach: useMutation({
      mutationFn: (body: CreatePlanAddon) =>
        call(api.POST('/v3/openmeter/plans/{planId}/addons', { params: { path: { planId: toValue(planId) } }, body })),
      onSuccess,
    }),
    detach: useMutation({
      mutationFn: (planAddonId: string) =>
        call(
          api.DELETE('/v3/openmeter/plans/{planId}/addons/{planAddonId}', {
            params: { path: { planId: toValue(planId), planAddonId } },
          }),
        ),
      onSuccess,
    }),
  };
}
