import { useMutation, useQueryClient } from '@tanstack/vue-query';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { keptOf, versioned } from './versions.ts';

export type Plan = components['schemas']['BillingPlan'];
export type Phase = components['schemas']['BillingPlanPhase'];
export type RateCard = components['schemas']['BillingRateCard'];
export type Price = components['schemas']['BillingPrice'];
export type CreatePlan = components['schemas']['CreatePlanRequest'];
export type CostEstimateRequest = components['schemas']['CostEstimateRequest'];
export type CostEstimate = components['schemas']['CostEstimate'];

const plans = versioned('plans', 'plan', {
  list: (query, signal) => call(api.GET('/v3/openmeter/plans', { params: { query }, signal })),
  one: (planId, signal) =>
    call(api.GET('/v3/openmeter/plans/{planId}', { params: { path: { planId } }, ...(signal && { signal }) })),
  create: (body: CreatePlan) => call(api.POST('/v3/openmeter/plans', { body })),
  publish: (planId) => call(api.POST('/v3/openmeter/plans/{planId}/publish', { params: { path: { planId } } })),
  archive: (planId) => call(api.POST('/v3/openmeter/plans/{planId}/archive', { params: { path: { planId } } })),
  next: (planId) => call(api.POST('/v3/openmeter/plans/{planId}/next', { params: { path: { planId } } })),
  remove: (planId) => call(api.DELETE('/v3/openmeter/plans/{planId}', { params: { path: { planId } } })),
});

export const { useList: usePlans, useVersions: usePlanVersions, useOne: usePlan } = plans;

/** For selects. */
export const planSource = { useList: plans.useList, useOne: plans.useOne };

/** What is sent to keep a draft as it is, but for its phases. */
export function planWith(plan: Plan, phases: Phase[]) {
  return { ...keptOf(plan), pro_rating_enabled: plan.pro_rating_enabled, phases };
}

/** What changes plans. */
export function usePlanChanges() {
  const queries = useQueryClient();
  return {
    ...plans.useChanges(),
    /** Puts the phases of a draft. @throws ApiProblem 409 when somebody changed the plan since it was read */
    putPhases: useMutation({
      mutationFn: async ({ plan, phases }: { plan: Plan; phases: Phase[] }) => {
        await plans.refuseIfChanged(plan);
        const body = planWith(plan, phases);
        return call(api.PUT('/v3/openmeter/plans/{planId}', { params: { path: { planId: plan.id } }, body }));
      },
      onSuccess: () => queries.invalidateQueries({ queryKey: ['plans'] }),
    }),
  };
}

/** What a quantity would cost, explained. */
export function estimateCost(body: CostEstimateRequest, signal?: AbortSignal): Promise<CostEstimate> {
  return call(api.POST('/v3/openmeter/cost-estimates', { body, ...(signal && { signal }) }));
}
