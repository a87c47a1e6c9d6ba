import { boundaryIndexAt, boundaryMs, type Period, periodAt, type Recurrence } from '../../../platform/period/index.ts';

/**
 * When usage begins anew: the first entry is where measuring starts, each further one a manual reset that moved the
 * anchor (or kept it). Ascending by `fromMs`.
 */
export type UsagePeriods = readonly { readonly fromMs: number; readonly recurrence: Recurrence }[];

/** The usage period at an instant; before the first one, the first. */
export function usagePeriodAt(periods: UsagePeriods, atMs: number): Period {
  let index = periods.findLastIndex(({ fromMs }) => fromMs <= atMs);
  if (index < 0) index = 0;
  const current = periods[index];
  if (current === undefined) throw new RangeError('a metered entitlement has at least one usage period');
  const period = periodAt(current.recurrence, Math.max(atMs, current.fromMs));
  const endMs = periods[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
  return { fromMs: Math.max(period.fromMs, current.fromMs), toMs: Math.min(period.toMs, endMs) };
}

/** The instants in [fromMs, untilMs] at which usage begins anew, the start of measuring among them; ascending. */
export function resetsWithin(periods: UsagePeriods, fromMs: number, untilMs: number): number[] {
  const resets = new Set<number>();
  periods.forEach((current, index) => {
    const endMs = periods[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    if (current.fromMs >= fromMs && current.fromMs <= untilMs) resets.add(current.fromMs);
    const afterMs = Math.max(current.fromMs, fromMs - 1);
    for (let n = boundaryIndexAt(current.recurrence, afterMs) + 1; ; n++) {
      const atMs = boundaryMs(current.recurrence, n);
      if (atMs >= endMs || atMs > untilMs) break;
      resets.add(atMs);
    }
  });
  return [...resets].toSorted((a, b) => a - b);
}
