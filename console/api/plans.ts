import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';
import { refuseIfChanged } from './problem.ts';

export type Plan = components['schemas']['BillingPlan'];
export type Phase = components['schemas']['BillingPlanPhase'];
export type RateCard = components['schemas']['BillingRateCard'];
export type Price = components['schemas']['BillingPrice'];
export type CreatePlan = components['schemas']['CreatePlanRequest'];
export type CostEstimateRequest = components['schemas']['CostEstimateRequest'];
export type CostEstimate = components['schemas']['CostEstimate'];

/** A page of plans. */
export function usePlans(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['plans', 'list', parameters],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/plans', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** All versions of a plan, the newest first. @param key none yet: undefined */
export function usePlanVersions(key: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ['plans', 'versions', key],
    enabled: () => toValue(key) !== undefined,
    queryFn: ({ signal }) => {
      const query = { 'filter[key]': toValue(key) ?? '', 'page[size]': '100', sort: 'version desc' };
      return call(api.GET('/v3/openmeter/plans', { params: { query }, signal }));
    },
  });
}

export function usePlan(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['plans', 'one', id],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/plans/{planId}', { params: { path: { planId: toValue(id) } }, signal })),
  });
}

/** What changes plans; each change has the lists read again. */
export function usePlanChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['plans'] });
  const act = (action: 'publish' | 'archive' | 'next') => (planId: string) => {
    const params = { path: { planId } };
    if (action === 'publish') return call(api.POST('/v3/openmeter/plans/{planId}/publish', { params }));
    if (action === 'archive') return call(api.POST('/v3/openmeter/plans/{planId}/archive', { params }));
    return call(api.POST('/v3/openmeter/plans/{planId}/next', { params }));
  };
  return {
    create: useMutation({
      mutationFn: (body: CreatePlan) => call(api.POST('/v3/openmeter/plans', { body })),
      onSuccess,
    }),
    /** Puts the phases of a draft. @throws ApiProblem 409 when somebody changed the plan since it was read */
    putPhases: useMutation({
      mutationFn: async ({ plan, phases }: { plan: Plan; phases: Phase[] }) => {
        const params = { path: { planId: plan.id } };
        const now = await call(api.GET('/v3/openmeter/plans/{planId}', { params }));
        refuseIfChanged('plan', plan, now);
        const { name, description, labels, pro_rating_enabled } = now;
        const body = {
          name,
          pro_rating_enabled,
          phases,
          ...(description !== undefined && { description }),
          ...(labels !== undefined && { labels }),
        };
        return call(api.PUT('/v3/openmeter/plans/{planId}', { params, body }));
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (planId: string) =>
        call(api.DELETE('/v3/openmeter/plans/{planId}', { params: { path: { planId } } })),
      onSuccess,
    }),
    publish: useMutation({ mutationFn: act('publish'), onSuccess }),
    archive: useMutation({ mutationFn: act('archive'), onSuccess }),
    next: useMutation({ mutationFn: act('next'), onSuccess }),
  };
}

/** What a quantity would cost, explained. */
export function estimateCost(body: CostEstimateRequest, signal?: AbortSignal): Promise<CostEstimate> {
  return call(api.POST('/v3/openmeter/cost-estimates', { body, ...(signal && { signal }) }));
}
