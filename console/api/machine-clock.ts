import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { api, call } from './client.ts';

/** An alarm within a minute is soon enough: what it is about has stopped by itself. */
const REFRESH_MS = 60_000;
const KEY = ['machine-clock'];

/** Whether the clock of the backend's machine is believed. */
export function useMachineClock() {
  return useQuery({
    queryKey: KEY,
    refetchInterval: REFRESH_MS,
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/machine-clock', { signal })),
  });
}

/** Says that the clock is right after all. */
export function useConfirmMachineClock() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (time: string) => call(api.POST('/v3/openmeter/machine-clock/confirm', { body: { time } })),
    onSuccess: () => queries.invalidateQueries(),
  });
}
