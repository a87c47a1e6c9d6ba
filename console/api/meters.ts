import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Meter = components['schemas']['Meter'];
export type CreateMeter = components['schemas']['CreateMeterRequest'];
export type MeterQuery = components['schemas']['MeterQueryRequest'];
export type MeterQueryResult = components['schemas']['MeterQueryResult'];
export type MeterBreakdown = components['schemas']['MeterBreakdown'];

/** More groups than this cannot be told apart in a chart. */
const MAX_SERIES = 10;

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

/**
 * Usage of a meter by window: of its ten largest groups, and of all others as one. What was shown stays until the new
 * figures are there.
 */
export function useMeterBreakdown(id: MaybeRefOrGetter<string>, request: MaybeRefOrGetter<MeterQuery>) {
  return useQuery({
    queryKey: ['meters', 'breakdown', id, request],
    queryFn: ({ signal }) =>
      call(
        api.POST('/v3/openmeter/meters/{meterId}/query/breakdown', {
          params: { path: { meterId: toValue(id) } },
          body: { ...toValue(request), top: MAX_SERIES },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** A page of the rows of a meter's usage. */
export function useMeterRows(
  id: MaybeRefOrGetter<string>,
  request: MaybeRefOrGetter<MeterQuery>,
  parameters: MaybeRefOrGetter<Record<string, string>>,
) {
  return useQuery({
    queryKey: ['meters', 'rows', id, request, parameters],
    queryFn: ({ signal }) =>
      call(
        api.POST('/v3/openmeter/meters/{meterId}/query/rows', {
          params: { path: { meterId: toValue(id) }, query: toValue(parameters) },
          body: toValue(request),
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** All rows of a meter's usage, as CSV. @throws ApiProblem, also where they are more than the server answers at once */
export function fetchUsageCsv(meterId: string, body: MeterQuery): Promise<string> {
  const answer = api.POST('/v3/openmeter/meters/{meterId}/query', {
    params: { path: { meterId } },
    headers: { Accept: 'text/csv' },
    parseAs: 'text',
    body,
  });
  return call<unknown>(answer) as Promise<string>;
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
