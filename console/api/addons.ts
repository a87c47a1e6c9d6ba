import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { keptOf, versioned } from './versions.ts';

export type Addon = components['schemas']['Addon'];
export type CreateAddon = components['schemas']['CreateAddonRequest'];
export type PlanAddon = components['schemas']['PlanAddon'];
export type CreatePlanAddon = components['schemas']['CreatePlanAddonRequest'];

const addons = versioned('addons', 'add-on', {
  list: (query, signal) => call(api.GET('/v3/openmeter/addons', { params: { query }, signal })),
  one: (addonId, signal) =>
    call(api.GET('/v3/openmeter/addons/{addonId}', { params: { path: { addonId } }, ...(signal && { signal }) })),
  create: (body: CreateAddon) => call(api.POST('/v3/openmeter/addons', { body })),
  publish: (addonId) => call(api.POST('/v3/openmeter/addons/{addonId}/publish', { params: { path: { addonId } } })),
  archive: (addonId) => call(api.POST('/v3/openmeter/addons/{addonId}/archive', { params: { path: { addonId } } })),
  next: (addonId) => call(api.POST('/v3/openmeter/addons/{addonId}/next', { params: { path: { addonId } } })),
  remove: (addonId) => call(api.DELETE('/v3/openmeter/addons/{addonId}', { params: { path: { addonId } } })),
});

export const { useList: useAddons, useVersions: useAddonVersions, useOne: useAddon } = addons;

/** For selects. */
export const addonSource = { useList: addons.useList, useOne: addons.useOne };

/** What is sent to keep a draft as it is, but for its rate cards. */
export function addonWith(addon: Addon, rateCards: Addon['rate_cards']) {
  return { ...keptOf(addon), instance_type: addon.instance_type, rate_cards: rateCards };
}

/** What changes add-ons. */
export function useAddonChanges() {
  const queries = useQueryClient();
  return {
    ...addons.useChanges(),
    /** Puts the rate cards of a draft. @throws ApiProblem 409 when somebody changed the add-on since it was read */
    putRateCards: useMutation({
      mutationFn: async ({ addon, rateCards }: { addon: Addon; rateCards: Addon['rate_cards'] }) => {
        await addons.refuseIfChanged(addon);
        const body = addonWith(addon, rateCards);
        return call(api.PUT('/v3/openmeter/addons/{addonId}', { params: { path: { addonId: addon.id } }, body }));
      },
      onSuccess: () => queries.invalidateQueries({ queryKey: ['addons'] }),
    }),
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
