const HOUR_MS = 3_600_000;
const PLACES = /\{(yyyy|MM|dd|HH)\}/g;
/** A month of hours; what is older is not looked for. */
const MAX_PREFIXES = 800;

/**
 * The prefixes to be listed now: of a pattern such as `usage/{yyyy}/{MM}/{dd}/{HH}/` (UTC) those of each hour from `lookbackMs`
 * ago to the next one, since a writer's clock may be ahead. Without places, the prefix itself.
 */
export function prefixesOf(pattern: string, nowMs: number, lookbackMs: number): string[] {
  if (!isPattern(pattern)) return [pattern];
  const prefixes = new Set<string>();
  const last = Math.floor(nowMs / HOUR_MS) + 1;
  const first = Math.max(Math.floor((nowMs - lookbackMs) / HOUR_MS), last - MAX_PREFIXES + 1);
  for (let hour = first; hour <= last; hour++) prefixes.add(prefixAt(pattern, hour * HOUR_MS));
  return [...prefixes];
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
