import type { Span } from '../core/source.ts';

const HOUR_MS = 3_600_000;
const PLACES = /\{(yyyy|MM|dd|HH)\}/g;
/** Two years of hours: who was away for longer asks for the rest by `--backfill`. */
const MAX_HOURS = 2 * 366 * 24;

/**
 * The prefixes of a pattern such as `usage/{yyyy}/{MM}/{dd}/{HH}/` (UTC): those of each hour that the span touches, the newest
 * ones of too many. Without places, the prefix itself.
 */
export function prefixesOf(pattern: string, { fromMs, toMs }: Span): string[] {
  if (!isPattern(pattern)) return [pattern];
  const prefixes = new Set<string>();
  const last = Math.ceil(toMs / HOUR_MS) - 1;
  const first = Math.max(Math.floor(fromMs / HOUR_MS), last - MAX_HOURS + 1);
  for (let hour = first; hour <= last; hour++) prefixes.add(prefixAt(pattern, hour * HOUR_MS));
  return [...prefixes];
}

/**
 * What is to be listed now: from `lookbackMs` before the last complete listing, so that a collector that was stopped for days
 * leaves nothing out, to the next hour, since a writer's clock may be ahead.
 */
export function spanToList(nowMs: number, lookbackMs: number, listedAtMs: number | undefined): Span {
  return {
    fromMs: Math.min(nowMs, listedAtMs ?? nowMs) - lookbackMs,
    toMs: (Math.floor(nowMs / HOUR_MS) + 2) * HOUR_MS,
  };
}

export function isPattern(pattern: string): boolean {
  return /\{(yyyy|MM|dd|HH)\}/.test(pattern);
}

function prefixAt(pattern: string, atMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split('T');
  const [yyyy = '', MM = '', dd = ''] = date.split('-');
  const values: Readonly<Record<string, string>> = { yyyy, MM, dd, HH: time.slice(0, 2) };
  return pattern.replaceAll(PLACES, (_all, place: string) => values[place] ?? '');
}
