/** Remembers values by a text; what was not asked for lately is forgotten when there is no more room. */
export interface ByteCache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  clear(): void;
}

/** Of an entry beside its text: a slot of the map, a header, a number. */
const BYTES_OF_ENTRY = 80;

/**
 * A cache in two halves: a full young half becomes the old one, and what is found in the old one moves to the young one.
 * That costs a lookup no more than a map does, where an order of use would cost two changes of it.
 * @param maxBytes of texts and entries, by estimate
 */
export function createByteCache<V>(maxBytes: number): ByteCache<V> {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  let bytes = 0;
  const set = (key: string, value: V): void => {
    bytes += key.length * 2 + BYTES_OF_ENTRY;
    if (bytes > maxBytes / 2) {
      old = young;
      young = new Map();
      bytes = key.length * 2 + BYTES_OF_ENTRY;
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const known = young.get(key);
      if (known !== undefined) return known;
      const found = old.get(key);
      if (found !== undefined) set(key, found);
      return found;
    },
    set,
    clear() {
      young = new Map();
      old = new Map();
      bytes = 0;
    },
  };
}
