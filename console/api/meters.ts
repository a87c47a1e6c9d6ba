import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';

export type Meter = components['schemas']['Meter'];
export type CreateMeter = components['schemas']['CreateMeterRequest'];
export type MeterQuery = components['schemas']['MeterQueryRequest'];
export type MeterQueryResult = components['schemas']['MeterQueryResult'];
export type MeterTemplate = components['schemas']['MeterTemplate'];

/** A page of meters. */
export function useMeters(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['meters', 'list', parameters],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/meters', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useMeter(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['meters', 'one', id],
    enabled: () => toValue(id) !== '',
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/meters/{meterId}', { params: { path: { meterId: toValue(id) } }, signal })),
  });
}

export function useBuiltInMeters() {
  return useQuery({
    queryKey: ['meters', 'built-in'],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/built-in-meters', { signal })),
  });
}

export function useMeterTemplates() {
  return useQuery({
    queryKey: ['meters', 'templates'],
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/meter-templates', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** How far the events from before the meter are counted; asked again while it goes on. */
export function useBackFill(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['meters', 'back-fill', id],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/meters/{meterId}/back-fill', { params: { path: { meterId: toValue(id) } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === 'running' ? 1_000 : false),
  });
}

/** Usage of a meter; what was shown stays until the new figures are there. */
export function useMeterUsage(id: MaybeRefOrGetter<string>, request: MaybeRefOrGetter<MeterQuery>) {
  return useQuery({
    queryKey: ['meters', 'usage', id, request],
    queryFn: async ({ signal }) => {
      const answer = await call(
        api.POST('/v3/openmeter/meters/{meterId}/query', {
          params: { path: { meterId: toValue(id) } },
          body: toValue(request),
          signal,
        }),
      );
      // Text is what "Accept: text/csv" would get, and that was not asked for.
      return answer as MeterQueryResult;
    },
    placeholderData: keepPreviousData,
  });
}

/** For selects. */
export const meterSource = { useList: useMeters, useOne: useMeter };

/** What changes meters; each change has the lists read again. */
export function useMeterChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['meters'] });
  return {
    create: useMutation({
      mutationFn: (body: CreateMeter) => call(api.POST('/v3/openmeter/meters', { body })),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (meterId: string) =>
        call(api.DELETE('/v3/openmeter/meters/{meterId}', { params: { path: { meterId } } })),
      onSuccess,
    }),
    setBuiltIn: useMutation({
      mutationFn: async ({ key, isEnabled }: { key: string; isEnabled: boolean }) => {
        const params = { path: { meterKey: key } };
        await (isEnabled
          ? call(api.POST('/v3/openmeter/built-in-meters/{meterKey}/enable', { params }))
          : call(api.POST('/v3/openmeter/built-in-meters/{meterKey}/disable', { params })));
      },
      onSuccess,
    }),
  };
}
