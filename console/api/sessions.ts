import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type OpenSession = components['schemas']['Session'];

/** Open sessions of everybody, the newest first: for those who administer. */
export function useSessions(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['sessions', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/sessions', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useEndSession() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (sessionId: string) =>
      call(api.DELETE('/v3/openmeter/sessions/{sessionId}', { params: { path: { sessionId } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
}
