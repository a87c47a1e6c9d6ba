import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type BillingRun = components['schemas']['BillingRun'];
export type StartBillingRun = components['schemas']['BillingRunRequest'];

/** While one goes on its progress is worth seeing; else a new one begins every few minutes. */
const RUNNING_MS = 1_000;
const WAITING_MS = 15_000;

/** Billing runs, the newest first; asked again while they are looked at. */
export function useBillingRuns(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['billing-runs', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/billing/runs', { params: { query: toValue(parameters) }, signal })),
    refetchInterval: (query) =>
      query.state.data?.data.some(({ finished_at }) => finished_at === undefined) ? RUNNING_MS : WAITING_MS,
    placeholderData: keepPreviousData,
  });
}

export function useStartBillingRun() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: StartBillingRun) => call(api.POST('/v3/openmeter/billing/runs', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['billing-runs'] }),
  });
}
