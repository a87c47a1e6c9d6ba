import { keepPreviousData, useQuery } from '@tanstack/vue-query';
import { type ComputedRef, computed } from 'vue';
import { api, call } from './client.ts';
import type { Customer } from './customers.ts';
import { ApiProblem } from './problem.ts';

/** What a page knows of something that it has to name. */
export interface Wanted {
  id: string;
  /** Of a customer: whose usage it pays for. Customers are found by it many at a time, by ids only one by one. */
  subject?: string;
}

export interface Named {
  id: string;
  name: string;
  key: string;
}

export type NamedKind = keyof typeof READERS;

/** As few as these are read one by one, more as lists. */
const MAX_FEW = 3;
/** What no list had is read one by one, up to here: the rest keeps its id. */
const MAX_SINGLE = 50;
/** As many, and as long together, as one filter of the API may have. */
const MAX_FILTER_ITEMS = 50;
const MAX_FILTER_BYTES = 1_000;
const LIST = { query: { 'page[size]': '1000' } };

interface Reader {
  one(id: string, signal: AbortSignal): Promise<Named>;
  /** Those that can be had by few requests; not all need to be among them. */
  many(wanted: readonly Wanted[], signal: AbortSignal): Promise<Named[]>;
}

const READERS = {
  customer: {
    one: (customerId, signal) =>
      call(api.GET('/v3/openmeter/customers/{customerId}', { params: { path: { customerId } }, signal })),
    many: findCustomers,
  },
  feature: {
    one: (featureId, signal) =>
      call(api.GET('/v3/openmeter/features/{featureId}', { params: { path: { featureId } }, signal })),
    many: async (_wanted, signal) => (await call(api.GET('/v3/openmeter/features', { params: LIST, signal }))).data,
  },
  meter: {
    one: (meterId, signal) =>
      call(api.GET('/v3/openmeter/meters/{meterId}', { params: { path: { meterId } }, signal })),
    many: async (_wanted, signal) => (await call(api.GET('/v3/openmeter/meters', { params: LIST, signal }))).data,
  },
  invoice: {
    one: async (invoiceId, signal) => {
      const path = { invoiceId };
      const { id, number } = await call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}', { params: { path }, signal }),
      );
      return { id, name: `Invoice ${number}`, key: number };
    },
    many: async () => [],
  },
} satisfies Record<string, Reader>;

/**
 * Names for the ids that a page has, by id: a few requests for all, not one a row. What is not known, or not yet, is
 * absent.
 */
export function useNames(kind: NamedKind, wanted: () => readonly Wanted[]): ComputedRef<ReadonlyMap<string, Named>> {
  const distinct = computed(() => [...new Map(wanted().map((one) => [one.id, one])).values()]);
  const ids = computed(() => distinct.value.map(({ id }) => id).sort());
  let known = new Map<string, Named>();
  const query = useQuery({
    // Under what they are names of: when that changes, they are read again.
    queryKey: [`${kind}s`, 'names', ids],
    enabled: () => ids.value.length > 0,
    queryFn: async ({ signal }) => {
      // A list that grew asks for what came to it; one that stayed is here to be read anew.
      const unknown = distinct.value.filter(({ id }) => !known.has(id));
      const found = await readNames(READERS[kind], unknown.length === 0 ? distinct.value : unknown, signal);
      known = new Map([...known, ...found]);
      return known;
    },
    placeholderData: keepPreviousData,
  });
  return computed(() => query.data.value ?? new Map());
}

async function readNames(reader: Reader, wanted: readonly Wanted[], signal: AbortSignal): Promise<Map<string, Named>> {
  const listed = wanted.length > MAX_FEW ? await reader.many(wanted, signal) : [];
  const found = new Map(listed.map((named) => [named.id, named]));
  const left = wanted.filter(({ id }) => !found.has(id)).slice(0, MAX_SINGLE);
  for (const named of await Promise.all(left.map(({ id }) => orNone(reader.one(id, signal))))) {
    if (named !== undefined) found.set(named.id, named);
  }
  return found;
}

/** What was deleted, or may not be seen, keeps its id. */
async function orNone(reading: Promise<Named>): Promise<Named | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}

/** Customers by the subjects of their usage: most have their key as subject. */
export async function findCustomers(wanted: readonly Wanted[], signal: AbortSignal): Promise<Customer[]> {
  const found: Customer[] = [];
  for (const filter of ['filter[key][oeq]', 'filter[usage_attribution_subject_key][oeq]']) {
    const ids = new Set(found.map(({ id }) => id));
    const subjects = wanted.flatMap(({ id, subject }) => (subject === undefined || ids.has(id) ? [] : [subject]));
    for (const list of filterLists(subjects)) {
      const query = { [filter]: list, 'page[size]': String(MAX_FILTER_ITEMS) };
      found.push(...(await call(api.GET('/v3/openmeter/customers', { params: { query }, signal }))).data);
    }
  }
  return found;
}

/** Values joined by commas, as many to a list as a filter takes. What has a comma itself cannot be in a list. */
function filterLists(values: readonly string[]): string[] {
  const lists: string[][] = [];
  const fits = (list: readonly string[]) =>
    list.length <= MAX_FILTER_ITEMS && new TextEncoder().encode(list.join()).length <= MAX_FILTER_BYTES;
  for (const value of new Set(values)) {
    const last = lists.at(-1);
    if (value.includes(',') || value.trim() !== value) continue;
    if (last !== undefined && fits([...last, value])) last.push(value);
    else lists.push([value]);
  }
  return lists.map((list) => list.join());
}
