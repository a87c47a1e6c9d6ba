import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import { type MaybeRefOrGetter, toValue } from 'vue';
import { refuseIfChanged } from './problem.ts';

/** The calls of something that has versions: a draft is published, replaced by the next one, archived. */
interface VersionCalls<Thing, Page, Create> {
  list(query: Record<string, string>, signal: AbortSignal): Promise<Page>;
  one(id: string, signal?: AbortSignal): Promise<Thing>;
  create(body: Create): Promise<Thing>;
  publish(id: string): Promise<Thing>;
  archive(id: string): Promise<Thing>;
  next(id: string): Promise<Thing>;
  remove(id: string): Promise<unknown>;
}

interface Versioned {
  id: string;
  name: string;
  updated_at: string;
  description?: string;
  labels?: Record<string, string>;
}

/**
 * How plans and add-ons are read and changed: they have the same life.
 * @param name under which queries keep them
 * @param what it is called when somebody else changed it
 */
export function versioned<Thing extends Versioned, Page, Create>(
  name: string,
  what: string,
  calls: VersionCalls<Thing, Page, Create>,
) {
  return {
    /** A page of them. */
    useList: (parameters: MaybeRefOrGetter<Record<string, string>>) =>
      useQuery({
        queryKey: [name, 'list', parameters],
        queryFn: ({ signal }) => calls.list(toValue(parameters), signal),
        placeholderData: keepPreviousData,
      }),
    /** All versions of one, the newest first. @param key none yet: undefined */
    useVersions: (key: MaybeRefOrGetter<string | undefined>) =>
      useQuery({
        queryKey: [name, 'versions', key],
        enabled: () => toValue(key) !== undefined,
        // Not by the version: the API does not order add-ons by it.
        queryFn: ({ signal }) =>
          calls.list({ 'filter[key]': toValue(key) ?? '', 'page[size]': '100', sort: 'created_at desc' }, signal),
      }),
    useOne: (id: MaybeRefOrGetter<string>) =>
      useQuery({
        queryKey: [name, 'one', id],
        enabled: () => toValue(id) !== '',
        queryFn: ({ signal }) => calls.one(toValue(id), signal),
      }),
    /** What changes them; each change has the lists read again. */
    useChanges() {
      const queries = useQueryClient();
      const onSuccess = () => queries.invalidateQueries({ queryKey: [name] });
      return {
        create: useMutation({ mutationFn: calls.create, onSuccess }),
        /** What is published is what one has looked at. @throws ApiProblem 409 when somebody changed it since it was read */
        publish: useMutation({
          mutationFn: async (read: Versioned) => {
            refuseIfChanged<Versioned>(what, read, await calls.one(read.id));
            return calls.publish(read.id);
          },
          onSuccess,
        }),
        archive: useMutation({ mutationFn: calls.archive, onSuccess }),
        next: useMutation({ mutationFn: calls.next, onSuccess }),
        remove: useMutation({ mutationFn: calls.remove, onSuccess }),
      };
    },
    /**
     * Keeps one from overwriting a draft that is no longer as it was read.
     * @param read as it was when one began to change it
     * @throws ApiProblem 409 when somebody changed it since
     */
    async refuseIfChanged(read: Thing): Promise<void> {
      refuseIfChanged(what, read, await calls.one(read.id));
    },
  };
}

/** What a change of a draft leaves as it is. */
export function keptOf<Thing extends Versioned>({ name, description, labels }: Thing) {
  return { name, ...(description !== undefined && { description }), ...(labels !== undefined && { labels }) };
}
