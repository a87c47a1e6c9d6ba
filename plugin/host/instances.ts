import { randomInt } from 'node:crypto';

/**
 * Instances that are kept at a time. Kong starts one for each configuration and worker, and never closes those of a
 * configuration that was deleted or of a worker that died: without a bound they would pile up. 16,384 is a hundred
 * configurations on 64 workers, twice over; past it the oldest goes, and a gateway that still uses it is told so and
 * starts a new one. No event is lost by that.
 */
const MAX_INSTANCES = 16_384;

/** Ids are int32 on the wire, and 0 looks like no id at all. */
const MAX_ID = 2 ** 31 - 1;

/** Things that Kong knows by an id, oldest first. */
export interface InstanceTable<T> {
  /** @returns the new id, and the id that had to go for it */
  add(instance: T): { readonly id: number; readonly evictedId: number | undefined };
  get(id: number): T | undefined;
  delete(id: number): boolean;
  entries(): Iterable<[number, T]>;
}

/**
 * A table whose ids begin at a random place. A Kong worker keeps using the ids of a plugin server that has died until
 * it is told that they mean nothing: did a new process count from 0 again, they would mean another customer's
 * configuration. A thousand live ids among 2^31 leave a chance of one in two million per crash.
 */
export function createInstanceTable<T>(
  maxInstances = MAX_INSTANCES,
  firstId: number = randomInt(1, MAX_ID),
  maxId = MAX_ID,
): InstanceTable<T> {
  const instances = new Map<number, T>();
  let nextId = firstId;

  function takeId(): number {
    // After 2^31 starts the ids begin again, and a few may still be in use.
    while (instances.has(nextId)) advance();
    const id = nextId;
    advance();
    return id;
  }

  function advance(): void {
    nextId = nextId >= maxId ? 1 : nextId + 1;
  }

  return {
    add(instance) {
      const id = takeId();
      const [oldestId] = instances.keys();
      const evictedId = instances.size >= maxInstances ? oldestId : undefined;
      if (evictedId !== undefined) instances.delete(evictedId);
      instances.set(id, instance);
      return { id, evictedId };
    },
    get: (id) => instances.get(id),
    delete: (id) => instances.delete(id),
    entries: () => instances.entries(),
  };
}
