import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { computed, toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type IngestedEvent = components['schemas']['IngestedEvent'];

/** How often the live tail looks for new events. */
const LIVE_INTERVAL_MS = 2_000;

/** Events, newest first, a page at a time; with the live tail on, asked again and again. */
export function useEvents(parameters: MaybeRefOrGetter<Record<string, string>>, isLive: MaybeRefOrGetter<boolean>) {
  return useInfiniteQuery({
    queryKey: ['events', parameters],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/v3/openmeter/events', {
          params: { query: { ...toValue(parameters), ...(pageParam !== '' && { 'page[after]': pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => cursorOf(last.meta.page.next),
    // A plain function would be asked after the next answer only, and there is none before the live tail is on.
    refetchInterval: computed(() => (toValue(isLive) ? LIVE_INTERVAL_MS : false)),
    placeholderData: keepPreviousData,
  });
}

/** Where an event counts, and why not elsewhere. */
export function useEventExplanation(of: MaybeRefOrGetter<{ id: string; source: string }>) {
  return useQuery({
    queryKey: ['events', 'explanation', of],
    queryFn: ({ signal }) => {
      const { id, source } = toValue(of);
      return call(api.GET('/v3/openmeter/events/explanation', { params: { query: { event_id: id, source } }, signal }));
    },
  });
}

/** The cursor in a link to the next page. */
export function cursorOf(next: unknown): string | undefined {
  if (typeof next !== 'string') return undefined;
  return new URL(next, window.location.origin).searchParams.get('page[after]') ?? next;
}
