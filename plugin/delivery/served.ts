/** What the gateway served, and what of it reached its plugin servers as log entries, in one and the same time. */
export interface Served {
  readonly requests: number;
  readonly entries: number;
}

export function addServed(before: Served | undefined, more: Served): Served {
  return { requests: (before?.requests ?? 0) + more.requests, entries: (before?.entries ?? 0) + more.entries };
}
