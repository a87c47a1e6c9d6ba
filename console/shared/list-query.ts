import { computed, type Ref } from 'vue';

/** A list that was asked for: what the functions of api/ give, and what a table shows. */
export interface ListQuery<Item> {
  data: Ref<{ data: readonly Item[]; meta?: unknown } | undefined>;
  error: Ref<unknown>;
  /** Whether the first answer is on the way. What is not asked for is not, and never comes. */
  isLoading: Ref<boolean>;
  refetch(): unknown;
}

/** The same list with other rows: what a table shows of each. @param rows undefined as long as there is no answer */
export function withRows<Row>(
  query: Pick<ListQuery<unknown>, 'error' | 'isLoading'> & { refetch(): unknown },
  rows: () => readonly Row[] | undefined,
): ListQuery<Row> {
  const data = computed(() => {
    const found = rows();
    return found === undefined ? undefined : { data: found };
  });
  return { data, error: query.error, isLoading: query.isLoading, refetch: () => query.refetch() };
}
