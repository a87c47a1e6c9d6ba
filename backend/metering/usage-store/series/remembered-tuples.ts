/** What is not remembered is looked up again. */
const MAX_REMEMBERED = 50_000;
/** A combination has up to 100 values of 1,024 characters: their number alone bounds nothing. */
const MAX_CHARACTERS = 16_777_216;

/**
 * Remembers what is known of combinations of dimensions by their number, within bounds.
 * @param find is asked for what is not remembered
 * @param charactersOf how long what was found is
 */
export function rememberTuples<T>(
  find: (tuple: number) => T,
  charactersOf: (found: T) => number,
): (tuple: number) => T {
  const known = new Map<number, T>();
  let characters = 0;
  return (tuple) => {
    if (known.has(tuple)) return known.get(tuple) as T;
    const found = find(tuple);
    characters += charactersOf(found);
    if (known.size >= MAX_REMEMBERED || characters > MAX_CHARACTERS) {
      known.clear();
      characters = charactersOf(found);
    }
    known.set(tuple, found);
    return found;
  };
}
