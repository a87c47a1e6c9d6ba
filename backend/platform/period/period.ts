/** A half-open stretch of time in milliseconds since the epoch: an instant at `toMs` belongs to what comes after. */
export interface Period {
  fromMs: number;
  toMs: number;
}

/** A stretch of time that may have no end yet. */
export interface OpenPeriod {
  fromMs: number;
  /** undefined: for ever */
  toMs: number | undefined;
}

/** Whether the instant lies in the period. */
export function contains(period: OpenPeriod, atMs: number): boolean {
  return atMs >= period.fromMs && (period.toMs === undefined || atMs < period.toMs);
}

/** Whether the period has no length. */
export function isEmpty(period: OpenPeriod): boolean {
  return period.toMs !== undefined && period.toMs <= period.fromMs;
}

/** What two stretches share; undefined when they share no time. */
export function intersection(a: Period, b: OpenPeriod): Period | undefined;
export function intersection(a: OpenPeriod, b: Period): Period | undefined;
export function intersection(a: OpenPeriod, b: OpenPeriod): OpenPeriod | undefined;
export function intersection(a: OpenPeriod, b: OpenPeriod): OpenPeriod | undefined {
  const shared = { fromMs: Math.max(a.fromMs, b.fromMs), toMs: earlier(a.toMs, b.toMs) };
  return isEmpty(shared) ? undefined : shared;
}

/** The earlier of two ends, where undefined never comes. */
function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/** Cuts an instant to a whole second or minute, towards the past. @param unitMs 1000 or 60000 */
export function truncateMs(atMs: number, unitMs: number): number {
  return Math.floor(atMs / unitMs) * unitMs;
}

/** Cuts both ends to whole seconds, the resolution of usage. */
export function truncateToSeconds(period: Period): Period {
  return { fromMs: truncateMs(period.fromMs, 1000), toMs: truncateMs(period.toMs, 1000) };
}
