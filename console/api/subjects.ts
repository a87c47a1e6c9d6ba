import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { type MaybeRefOrGetter, toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { findCustomers } from './names.ts';

export type AttributeSubject = components['schemas']['AttributeSubjectRequest'];

/** Subjects to choose from that contain a text: the gateway's consumers where the server may read them, else those that were seen. */
export function useUsageSources(search: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['subjects', 'sources', search],
    queryFn: ({ signal }) => {
      const text = toValue(search).trim();
      const query = text === '' ? {} : { search: text };
      return call(api.GET('/v3/openmeter/usage-sources', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });
}

/** Whose subjects are: those that somebody has, by subject. */
export function useSubjectOwners(subjects: MaybeRefOrGetter<readonly string[]>) {
  return useQuery({
    // Under customers: when one of them changes, it is asked again.
    queryKey: ['customers', 'owners', subjects],
    enabled: () => toValue(subjects).length > 0,
    queryFn: async ({ signal }) => {
      const wanted = toValue(subjects).map((subject) => ({ id: `subject ${subject}`, subject }));
      const found = await findCustomers(wanted, signal);
      return new Map(
        found.flatMap((customer) =>
          [customer.key, ...(customer.usage_attribution?.subject_keys ?? [])].map((subject) => [subject, customer]),
        ),
      );
    },
    placeholderData: keepPreviousData,
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
