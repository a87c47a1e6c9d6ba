import { keepPreviousData, useInfiniteQuery } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type AuditEntry = components['schemas']['AuditEntry'];

/** Entries of the audit log, newest first, a page at a time. */
export function useAuditLog(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useInfiniteQuery({
    queryKey: ['audit-log', parameters],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/v3/openmeter/audit-log', {
          params: { query: { ...toValue(parameters), ...(pageParam !== '' && { 'page[after]': pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.meta.page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}
