import type { Labels } from './answer.ts';
import { durationOf } from './promql.ts';
import type { Window } from './windows.ts';

/** So many series are read before whatever else waits has its turn; what was read of them can go meanwhile. */
export const SERIES_A_TURN = 500;

/** Labels in the order of their names, as JSON: the same for the same series, however a server orders them. */
export function canonical(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What makes the id of a series in a window. Its end names the window: windows follow one another. */
export function partsOf(name: string, metric: Labels, { toMs }: Window): readonly string[] {
  return [name, canonical(metric), new Date(toMs).toISOString()];
}

/** RFC 3339. `timestamp` is the instant that was asked for, and the end of the window. */
export function timesOf({ fromMs, toMs }: Window): { readonly from: string; readonly timestamp: string } {
  return { from: new Date(fromMs).toISOString(), timestamp: new Date(toMs).toISOString() };
}

/** The documented names, and the seconds of the window. */
export function metaOf(name: string, { fromMs, toMs }: Window, queryOffsetMs: number): Record<string, string> {
  return {
    query_name: name,
    scrape_time: new Date(toMs + queryOffsetMs).toISOString(),
    scrape_interval: durationOf(toMs - fromMs),
    query_offset: durationOf(queryOffsetMs),
    duration_seconds: String((toMs - fromMs) / 1000),
  };
}
