import { useIsMutating, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { type ComputedRef, computed, toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { nowMs } from '../shared/clock.ts';
import { api, call } from './client.ts';

export type TestClock = components['schemas']['TestClock'];
/** Either by a calendar duration or to an instant. */
export type AdvanceTestClock = { by: string } | { to: string };

/** How often a clock that is moving is looked at. */
const MOVING_MS = 1_000;

const advanceKey = (customerId: MaybeRefOrGetter<string>) => ['advance-test-clock', toValue(customerId)];

/** Whether a test clock is on its way because of this tab, whichever page set it going. */
export function useIsMoving(customerId: MaybeRefOrGetter<string>): ComputedRef<boolean> {
  const count = useIsMutating(computed(() => ({ mutationKey: advanceKey(customerId) })));
  return computed(() => count.value > 0);
}

/** The clock that a customer lives by; null: the real one. */
export function useTestClock(customerId: MaybeRefOrGetter<string>) {
  const isMoving = useIsMoving(customerId);
  return useQuery({
    queryKey: ['customers', 'test-clock', customerId],
    // By the list: of a customer in real time there is none, and that is no error.
    queryFn: async ({ signal }): Promise<TestClock | null> => {
      const query = { 'filter[customer_id]': toValue(customerId) };
      const { data } = await call(api.GET('/v3/openmeter/test-clocks', { params: { query }, signal }));
      return data[0] ?? null;
    },
    refetchInterval: computed(() => (isMoving.value ? MOVING_MS : false)),
  });
}

/** The customer's now: that of its test clock, or the real one. */
export function useCustomerNow(customerId: MaybeRefOrGetter<string>): () => number {
  const clock = useTestClock(customerId);
  return () => (clock.data.value ? Date.parse(clock.data.value.now) : nowMs());
}

/** What moves test clocks; whatever depends on a customer's time is read again. */
export function useTestClockChanges(customerId: MaybeRefOrGetter<string>) {
  const queries = useQueryClient();
  const params = () => ({ path: { customerId: toValue(customerId) } });
  // Also when it was cut off: then it stands at a day on the way.
  const onSettled = () => queries.invalidateQueries();
  return {
    put: useMutation({
      mutationFn: (now: string) =>
        call(api.PUT('/v3/openmeter/customers/{customerId}/test-clock', { params: params(), body: { now } })),
      onSettled,
    }),
    advance: useMutation({
      mutationKey: advanceKey(customerId),
      mutationFn: (body: AdvanceTestClock) =>
        call(api.POST('/v3/openmeter/customers/{customerId}/test-clock/advance', { params: params(), body })),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: () => call(api.DELETE('/v3/openmeter/customers/{customerId}/test-clock', { params: params() })),
      onSettled,
    }),
  };
}
