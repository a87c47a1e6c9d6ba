import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Feature = components['schemas']['Feature'];
export type CreateFeature = components['schemas']['CreateFeatureRequest'];
export type UpdateFeature = components['schemas']['UpdateFeatureRequest'];
export type DimensionFilter = components['schemas']['DimensionFilter'];

/** A page of features. */
export function useFeatures(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['features', 'list', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/features', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useFeature(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['features', 'one', id],
    enabled: () => toValue(id) !== '',
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/features/{featureId}', { params: { path: { featureId: toValue(id) } }, signal })),
  });
}

/** For selects. */
export const featureSource = { useList: useFeatures, useOne: useFeature };

/** What changes features; each change has the lists read again. */
export function useFeatureChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['features'] });
  return {
    create: useMutation({
      mutationFn: (body: CreateFeature) => call(api.POST('/v3/openmeter/features', { body })),
      onSuccess,
    }),
    update: useMutation({
      mutationFn: ({ featureId, body }: { featureId: string; body: UpdateFeature }) =>
        call(api.PATCH('/v3/openmeter/features/{featureId}', { params: { path: { featureId } }, body })),
      onSuccess,
    }),
    archive: useMutation({
      mutationFn: (featureId: string) =>
        call(api.DELETE('/v3/openmeter/features/{featureId}', { params: { path: { featureId } } })),
      onSuccess,
    }),
  };
}
