import { computed, type Ref, ref } from 'vue';
import type { ListQuery } from './list-query.ts';

/** Longer lists are searched rather than read. */
const MAX_OFFERED = 100;

/** How the things are read that one can choose of. */
export interface PickerSource<Item> {
  useList(parameters: () => Record<string, string>): Pick<ListQuery<Item>, 'data' | 'error'>;
  /** Must ask for nothing as long as the id is empty. */
  useOne(id: () => string): { data: Ref<Item | undefined> };
}

/**
 * What a select offers of a list on the server: all of a short one; of a long one what a search by name finds there.
 * @param id what is chosen; it is offered whether the search finds it or not
 * @param fixed further parameters of the list: "filter[status]"
 */
export function usePicker<Item extends { id: string; name: string }>(
  source: PickerSource<Item>,
  id: () => string,
  fixed: Record<string, string> = {},
) {
  const search = ref('');
  const list = source.useList(() => ({
    'page[size]': String(MAX_OFFERED),
    ...fixed,
    ...(search.value.trim() !== '' && { 'filter[name][contains]': search.value.trim() }),
  }));
  const found = computed(() => list.data.value?.data ?? []);
  const inList = computed(() => found.value.find((item) => item.id === id()));
  const missing = source.useOne(() => (list.data.value === undefined || inList.value !== undefined ? '' : id()));
  const chosen = computed(() => inList.value ?? (id() === '' ? undefined : missing.data.value));
  return {
    search,
    error: list.error,
    /** Undefined also until it is read. */
    chosen,
    items: computed(() =>
      chosen.value === undefined || inList.value !== undefined ? found.value : [chosen.value, ...found.value],
    ),
    /** More than are offered: then there is something to search for. */
    isLong: computed(() => search.value !== '' || totalOf(list.data.value?.meta) > MAX_OFFERED),
  };
}

export type Picker<Item extends { id: string; name: string }> = ReturnType<typeof usePicker<Item>>;

function totalOf(meta: unknown): number {
  return (meta as { page?: { total?: number } } | undefined)?.page?.total ?? 0;
}
