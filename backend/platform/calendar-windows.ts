import { Temporal } from 'temporal-polyfill';
import type { Period } from './period/index.ts';

export type WindowSize = 'PT1M' | 'PT1H' | 'P1D' | 'P1M';

const MINUTE_MS = 60_000;
export const QUARTER_HOUR_MS = 15 * MINUTE_MS;
const UTC_SIZES_MS: Partial<Record<WindowSize, number>> = {
  PT1M: MINUTE_MS,
  PT1H: 60 * MINUTE_MS,
  P1D: 1440 * MINUTE_MS,
};
/** Windows remembered: enough for a year of days in one query, small enough to forget about. */
const MAX_REMEMBERED = 10_000;

/**
 * Finds the calendar window of an instant. Days and months begin at local midnight, so a day has 23 or 25 hours where
 * the clocks change; each window ends where the next one begins.
 * @param timeZone IANA name, known to exist
 */
export function windowFinder(size: WindowSize, timeZone: string): (atMs: number) => Period {
  const fixedMs = timeZone === 'UTC' ? UTC_SIZES_MS[size] : undefined;
  if (fixedMs !== undefined) {
    return (atMs) => {
      const fromMs = Math.floor(atMs / fixedMs) * fixedMs;
      return { fromMs, toMs: fromMs + fixedMs };
    };
  }
  const bucketMs = size === 'PT1M' ? MINUTE_MS : QUARTER_HOUR_MS;
  return remembering((atMs) => zonedWindow(atMs, size, timeZone), bucketMs);
}

/** Zone arithmetic costs tens of microseconds, and instants close to each other share their window. */
function remembering(find: (atMs: number) => Period, bucketMs: number): (atMs: number) => Period {
  const byBucket = new Map<number, Period>();
  let last: Period | undefined;
  return (atMs) => {
    if (last !== undefined && atMs >= last.fromMs && atMs < last.toMs) return last;
    const bucket = Math.floor(atMs / bucketMs);
    let window = byBucket.get(bucket);
    // Zone offsets were not always whole quarters of an hour: a remembered window must really hold the instant.
    if (window === undefined || atMs < window.fromMs || atMs >= window.toMs) {
      window = find(atMs);
      if (byBucket.size >= MAX_REMEMBERED) byBucket.clear();
      byBucket.set(bucket, window);
    }
    last = window;
    return window;
  };
}

function zonedWindow(atMs: number, size: WindowSize, timeZone: string): Period {
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  switch (size) {
    case 'PT1M':
      return roundedWindow(at, 'minute');
    case 'PT1H':
      return roundedWindow(at, 'hour');
    case 'P1D': {
      const start = at.startOfDay();
      return between(start, start.add({ days: 1 }).startOfDay());
    }
    case 'P1M': {
      const start = at.with({ day: 1 }).startOfDay();
      return between(start, start.add({ months: 1 }).startOfDay());
    }
  }
}

/**
 * Minutes and hours of the local clock. Where the clocks change inside the hour (by half an hour on Lord Howe Island),
 * the window is cut at the change, so that windows never overlap.
 */
function roundedWindow(at: Temporal.ZonedDateTime, unit: 'minute' | 'hour'): Period {
  const elapsedMs = (unit === 'hour' ? at.minute * MINUTE_MS : 0) + at.second * 1000 + at.millisecond;
  const lengthMs = unit === 'hour' ? 60 * MINUTE_MS : MINUTE_MS;
  let fromMs = at.epochMilliseconds - elapsedMs;
  let toMs = fromMs + lengthMs;
  // The change before it, or at the very instant: the search leaves that out.
  const changeBefore = at.add({ milliseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds;
  const changeAfter = at.getTimeZoneTransition('next')?.epochMilliseconds;
  if (changeBefore !== undefined && changeBefore <= at.epochMilliseconds) fromMs = Math.max(fromMs, changeBefore);
  if (changeAfter !== undefined) toMs = Math.min(toMs, changeAfter);
  return { fromMs, toMs };
}

function between(start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): Period {
  return { fromMs: start.epochMilliseconds, toMs: end.epochMilliseconds };
}

/** Whether the platform knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.instant().toZonedDateTimeISO(name);
    // Fixed offsets such as "+02:00" are zones for Temporal but no IANA names.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
