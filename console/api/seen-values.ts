import { useQuery } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { computed, toValue } from 'vue';
import { rangeOf } from '../shared/ranges.ts';
import { api, call } from './client.ts';

/**
 * Values that a dimension of a meter had in the last thirty days: what a filter's value is picked from.
 * @param dimension none yet: ''
 */
export function useSeenValues(meterId: MaybeRefOrGetter<string>, dimension: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['meters', 'seen-values', meterId, dimension],
    enabled: computed(() => toValue(meterId) !== '' && toValue(dimension) !== ''),
    queryFn: async ({ signal }) => {
      const path = { meterId: toValue(meterId), dimension: toValue(dimension) };
      const { data } = await call(
        api.GET('/v3/openmeter/meters/{meterId}/dimensions/{dimension}/values', {
          params: { path, query: rangeOf('30d') },
          signal,
        }),
      );
      return data.map(({ value }) => value).filter((value) => value !== '');
    },
  });
}
