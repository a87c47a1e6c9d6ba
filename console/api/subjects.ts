import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';

export type AttributeSubject = components['schemas']['AttributeSubjectRequest'];

/** Subjects to choose from: the gateway's consumers where the server may read them, else those that were seen. */
export function useUsageSources() {
  return useQuery({
    queryKey: ['subjects', 'sources'],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/usage-sources', { signal })),
  });
}

/** Subjects whose usage nobody pays for, those with the most events first. */
export function useUnattributedSubjects() {
  return useQuery({
    queryKey: ['subjects', 'unattributed'],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/unattributed-subjects', { signal })),
  });
}

/** Gives a subject that nobody has to a customer. */
export function useAttributeSubject() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: AttributeSubject) => call(api.POST('/v3/openmeter/unattributed-subjects/attribute', { body })),
    onSuccess: () => queries.invalidateQueries(),
  });
}
