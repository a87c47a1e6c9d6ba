import { computed } from 'vue';
import { useRoute, useRouter } from 'vue-router';

/** What a list shows: kept in the address, so that a link, a reload and the back button show the same. */
export interface ListState {
  page: number;
  size: number;
  sort: string;
  filters: Record<string, string>;
}

const DEFAULT_SIZE = 20;
export const PAGE_SIZES = [20, 50, 100];

/**
 * Reads and writes a list's state in the query of the address.
 * @param filterNames the query parameters of the API that this list filters by: "filter[name][contains]", each kept
 *   under its short name here: { q: 'filter[name][contains]' }
 * @param prefix of the names in the address, where a page has several lists: "charges-"
 */
export function useListState(filterNames: Readonly<Record<string, string>> = {}, prefix = '') {
  const route = useRoute();
  const router = useRouter();
  const text = (name: string) => {
    const value = route.query[prefix + name];
    return typeof value === 'string' ? value : '';
  };
  const state = computed<ListState>(() => ({
    page: Math.max(1, Number.parseInt(text('page'), 10) || 1),
    size: PAGE_SIZES.find((size) => String(size) === text('size')) ?? DEFAULT_SIZE,
    sort: text('sort'),
    filters: Object.fromEntries(Object.keys(filterNames).map((name) => [name, text(name)])),
  }));
  /** The parameters that the API wants for this state. */
  const parameters = computed<Record<string, string>>(() => {
    const { page, size, sort, filters } = state.value;
    const wanted = Object.entries(filterNames).flatMap(([name, parameter]) => {
      const value = filters[name] ?? '';
      return value === '' ? [] : [[parameter, value]];
    });
    return {
      'page[number]': String(page),
      'page[size]': String(size),
      ...(sort !== '' && { sort }),
      ...Object.fromEntries(wanted),
    };
  });
  const change = (values: Record<string, string | undefined>) => {
    const own = Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
    return router.replace({ query: { ...route.query, ...own }, hash: route.hash });
  };
  return {
    state,
    parameters,
    setPage: (page: number) => change({ page: page === 1 ? undefined : String(page) }),
    setSize: (size: number) => change({ size: size === DEFAULT_SIZE ? undefined : String(size), page: undefined }),
    setSort: (sort: string) => change({ sort: sort === '' ? undefined : sort, page: undefined }),
    setFilter: (name: string, value: string) => change({ [name]: value === '' ? undefined : value, page: undefined }),
    hasFilters: computed(() => Object.values(state.value.filters).some((value) => value !== '')),
  };
}

export type ListControls = ReturnType<typeof useListState>;
