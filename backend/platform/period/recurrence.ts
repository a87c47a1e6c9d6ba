import { addDuration, calendarMonths, type Duration, fixedLengthMs } from './duration.ts';
import type { OpenPeriod, Period } from './period.ts';

/** Something that comes again and again: its boundaries are `anchorMs + n × interval`, n negative too. */
export interface Recurrence {
  anchorMs: number;
  /** Longer than nothing, no part negative. */
  interval: Duration;
}

/** The mean month of the calendar, 400 years in months: the first guess only, the boundaries themselves are exact. */
const MEAN_MONTH_MS = 2_629_746_000;

/** @throws RangeError when the interval has a negative part or is zero: boundaries must go forward */
export function recurrence(anchorMs: number, interval: Duration): Recurrence {
  const parts = Object.values(interval) as number[];
  if (parts.some((part) => part < 0) || parts.every((part) => part === 0)) {
    throw new RangeError('an interval that recurs must be longer than zero and have no negative part');
  }
  return { anchorMs, interval };
}

/** The n-th boundary, always reckoned from the anchor itself: months of 31 days never wear it down to the 28th. */
export function boundaryMs({ anchorMs, interval }: Recurrence, n: number): number {
  return addDuration(anchorMs, interval, n);
}

/** The greatest n whose boundary is not after the instant. */
export function boundaryIndexAt(recurring: Recurrence, atMs: number): number {
  const { anchorMs, interval } = recurring;
  const meanMs = calendarMonths(interval) * MEAN_MONTH_MS + fixedLengthMs(interval);
  let n = Math.floor((atMs - anchorMs) / meanMs);
  // The guess is off by one or two at most, as months differ from their mean by less than three days.
  while (boundaryMs(recurring, n) > atMs) n -= 1;
  while (boundaryMs(recurring, n + 1) <= atMs) n += 1;
  return n;
}

/** The period that holds the instant; an instant on a boundary begins the later one. */
export function periodAt(recurring: Recurrence, atMs: number): Period {
  const n = boundaryIndexAt(recurring, atMs);
  return { fromMs: boundaryMs(recurring, n), toMs: boundaryMs(recurring, n + 1) };
}

/** Whether the instant is one of the boundaries. */
export function isBoundary(recurring: Recurrence, atMs: number): boolean {
  return periodAt(recurring, atMs).fromMs === atMs;
}

/**
 * The periods of the recurrence within a stretch of time, cut to it: the first begins where the stretch begins and each
 * where the one before ends. Without an end they never stop, so whoever asks must.
 */
export function* periodsWithin(recurring: Recurrence, within: OpenPeriod): Generator<Period, void> {
  let fromMs = within.fromMs;
  let n = boundaryIndexAt(recurring, fromMs);
  while (within.toMs === undefined || fromMs < within.toMs) {
    n += 1;
    const toMs = Math.min(boundaryMs(recurring, n), within.toMs ?? Number.POSITIVE_INFINITY);
    yield { fromMs, toMs };
    fromMs = toMs;
  }
}
