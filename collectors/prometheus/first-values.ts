/** What is known about a series that has not been seen before. Milliseconds since 1970. */
export interface Newborn {
  /** Its first sample. */
  readonly firstMs: number;
  /** Since when we would have seen it. */
  readonly sinceMs: number;
  /** The last scrape of its target that succeeded before. */
  readonly scrapedMs: number | undefined;
  /** The earliest scrape that is known to have seen another series of its target. */
  readonly otherMs: number | undefined;
  /** The last scrape that saw another series of its target which had gone before it came: of several the latest. */
  readonly wentMs: number | undefined;
  /** When it began to count, by its own word or, where that is trusted, by the start of its process. */
  readonly bornMs: number | undefined;
}

/**
 * - `counts`: it began at zero after we began to look, so its first value was used since.
 * - `relabelled`: another one went in the scrape in which it came; it may be the same under new labels, and counted already.
 * - `unknown`: nothing says that its first value was not there before we looked.
 */
export type Verdict = 'counts' | 'relabelled' | 'unknown';

/**
 * Whether the first value of a series counts. Without it a new customer's first requests would be lost each time; with it
 * always, years of a counter would be billed on the day on which its labels change. In doubt it is the base.
 */
export function judgeFirst({ firstMs, sinceMs, scrapedMs, otherMs, wentMs, bornMs }: Newborn): Verdict {
  // It went in that scrape if no other one lies between.
  const wentAsItCame = wentMs !== undefined && !(scrapedMs !== undefined && scrapedMs > wentMs);
  if (bornMs !== undefined && bornMs >= sinceMs && !(wentAsItCame && bornMs <= wentMs)) return 'counts';
  if (wentAsItCame) return 'relabelled';
  const wasScraped = (scrapedMs !== undefined && scrapedMs >= sinceMs) || (otherMs !== undefined && otherMs < firstMs);
  return wasScraped ? 'counts' : 'unknown';
}

/** The largest of numbers in order that is below another. */
export function lastBelow(sorted: readonly number[], limit: number): number | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
