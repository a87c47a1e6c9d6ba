import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Correction = components['schemas']['EventCorrection'];
export type CreateCorrection = components['schemas']['CreateEventCorrection'];

/** Voids and restores, newest first: who, what, why. */
export function useCorrections(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['corrections', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/events/corrections', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Makes events void, or has them count again; every figure follows. */
export function useCorrect() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateCorrection) => call(api.POST('/v3/openmeter/events/corrections', { body })),
    onSuccess: () => queries.invalidateQueries(),
  });
}
