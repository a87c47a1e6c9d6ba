/** Each item changed when it is asked for, and again each time: none is kept. */
export function mapped<In, Out>(items: Iterable<In>, change: (item: In) => Out): Iterable<Out> {
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield change(item);
    },
  };
}
