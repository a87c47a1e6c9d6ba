import type { SourceContext } from '../core/source.ts';

/** The same, with a cursor that begins empty, lives in memory, and leaves the one on disk as it is. */
export function withOwnCursor(context: SourceContext): SourceContext {
  const entries = new Map<string, string>();
  return {
    ...context,
    cursor: {
      get: (key) => entries.get(key),
      list: (prefix, after, most) =>
        [...entries]
          .filter(([key]) => key.startsWith(prefix) && key > after)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, most)
          .map(([key, value]) => ({ key, value })),
    },
    async take({ records, cursor = [] }) {
      const taken = await context.take({ records });
      for (const { key, value } of cursor) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
      return taken;
    },
  };
}
