import { durationFrom, type Period, periodAt, periodsWithin, recurrence } from '../../platform/period/index.ts';

/** One period that is billed, and the full one that it is a part of. */
export interface BilledPeriod {
  period: Period;
  full: Period;
}

/**
 * The billing periods of a cadence within a stretch of time: they begin where it begins, and the last one may be cut.
 * Without a cadence, which is a one-time fee, there is one.
 * @param cadence ISO 8601 duration longer than nothing
 * @returns undefined when there are more than `max`
 */
export function billedPeriods(within: Period, cadence: string | undefined, max: number): BilledPeriod[] | undefined {
  if (cadence === undefined) return [{ period: within, full: within }];
  const recurring = recurrence(within.fromMs, durationFrom(cadence));
  const periods: BilledPeriod[] = [];
  for (const period of periodsWithin(recurring, within)) {
    if (periods.length === max) return undefined;
    periods.push({ period, full: periodAt(recurring, period.fromMs) });
  }
  return periods;
}
