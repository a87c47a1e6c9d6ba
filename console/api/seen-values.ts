import { useQuery } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { computed, toValue } from 'vue';
import { rangeOf } from '../shared/ranges.ts';
import { api, call } from './client.ts';
import type { MeterQueryResult } from './meters.ts';

/** More values than this are not picked from a list. */
const MAX_VALUES = 100;

/**
 * Values that dimensions of a meter had in the last thirty days: what a filter's value is picked from.
 * @returns a function from a dimension to its values, which grows as they are read
 */
export function useSeenValues(meterId: MaybeRefOrGetter<string>) {
  const seen = useQuery({
    queryKey: ['meters', 'seen-values', meterId],
    enabled: computed(() => toValue(meterId) !== ''),
    queryFn: async ({ signal }) => {
      const path = { meterId: toValue(meterId) };
      const meter = await call(api.GET('/v3/openmeter/meters/{meterId}', { params: { path }, signal }));
      const entries = await Promise.all(
        Object.keys(meter.dimensions ?? {}).map(async (name): Promise<[string, string[]]> => {
          const body = { ...rangeOf('30d'), time_zone: 'UTC', group_by_dimensions: [name] };
          const result = (await call(
            api.POST('/v3/openmeter/meters/{meterId}/query', { params: { path }, body, signal }),
          )) as MeterQueryResult;
          return [
            name,
            result.data
              .map((row) => row.dimensions[name] ?? '')
              .filter((value) => value !== '')
              .slice(0, MAX_VALUES),
          ];
        }),
      );
      return new Map(entries);
    },
  });
  return (dimension: string): string[] => seen.data.value?.get(dimension) ?? [];
}
