/** Another series of the same counter and target. Milliseconds since 1970. */
export interface Neighbour {
  /** A scrape that saw it, the first that is known. */
  readonly firstMs: number;
  /** The last scrape that saw it. */
  readonly lastMs: number;
}

/** What is known about a series that has not been seen before. */
export interface Newborn {
  /** Its first sample. */
  readonly firstMs: number;
  /** Since when we would have seen it. */
  readonly sinceMs: number;
  /** Scrapes of its target that succeeded. */
  readonly scrapesMs: readonly number[];
  readonly neighbours: readonly Neighbour[];
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
export function judgeFirst({ firstMs, sinceMs, scrapesMs, neighbours, bornMs }: Newborn): Verdict {
  const wentMs = neighbours.map(({ lastMs }) => lastMs).filter((lastMs) => isLastBefore(lastMs, firstMs, scrapesMs));
  const latestMs = wentMs.length === 0 ? undefined : Math.max(...wentMs);
  if (bornMs !== undefined && bornMs >= sinceMs && (latestMs === undefined || bornMs > latestMs)) return 'counts';
  if (latestMs !== undefined) return 'relabelled';
  const wasScraped =
    scrapesMs.some((atMs) => atMs >= sinceMs && atMs < firstMs) || neighbours.some((one) => one.firstMs < firstMs);
  return wasScraped ? 'counts' : 'unknown';
}

/** Seen for the last time in the scrape before: no other scrape lies between. */
function isLastBefore(lastMs: number, firstMs: number, scrapesMs: readonly number[]): boolean {
  return lastMs < firstMs && !scrapesMs.some((atMs) => atMs > lastMs && atMs < firstMs);
}
