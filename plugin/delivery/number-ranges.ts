/** A set of whole numbers, kept as ranges: what a process numbers is finished nearly in order, so that few are enough. */
export interface NumberRanges {
  /** How many ranges there are. */
  readonly count: number;
  has(number: number): boolean;
  add(first: number, last?: number): void;
  /** [first, last] of each range, in order; at most `most` of them, the lowest. */
  list(most?: number): [number, number][];
}

export function createNumberRanges(given: Iterable<readonly [number, number]> = []): NumberRanges {
  // Ordered, and never touching each other.
  const ranges: [number, number][] = [];

  /** The index of the first range that ends at `number` or later. */
  function indexOf(number: number): number {
    // What is added mostly lengthens or follows the last range.
    const newest = ranges.at(-1);
    if (newest === undefined || newest[1] < number) return ranges.length;
    let low = 0;
    let high = ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function add(first: number, last = first): void {
    // The range before may touch the new one.
    const from = indexOf(first - 1);
    let until = from;
    let [lowest, highest] = [first, last];
    for (let range = ranges[until]; range !== undefined && range[0] <= last + 1; range = ranges[++until]) {
      lowest = Math.min(lowest, range[0]);
      highest = Math.max(highest, range[1]);
    }
    const only = ranges[from];
    if (only !== undefined && until === from + 1) {
      only[0] = lowest;
      only[1] = highest;
    } else ranges.splice(from, until - from, [lowest, highest]);
  }

  for (const [first, last] of given) add(first, last);
  return {
    get count() {
      return ranges.length;
    },
    has(number) {
      const range = ranges[indexOf(number)];
      return range !== undefined && range[0] <= number;
    },
    add,
    list: (most = Infinity) => ranges.slice(0, most).map(([first, last]) => [first, last]),
  };
}
