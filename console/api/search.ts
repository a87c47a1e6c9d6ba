import { keepPreviousData, useQuery } from '@tanstack/vue-query';
import { type MaybeRefOrGetter, toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type SearchGroup = components['schemas']['SearchAnswer']['data'][number];
export type Found = SearchGroup['items'][number];

/** Things of each kind that a page shows. */
const LIMIT = '10';

/** What a text may mean. Nothing is asked as long as it is empty. */
export function useSearch(text: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['search', text],
    enabled: () => toValue(text) !== '',
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/search', { params: { query: { q: toValue(text), limit: LIMIT } }, signal })),
    placeholderData: keepPreviousData,
  });
}
