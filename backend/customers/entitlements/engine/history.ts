import { type Decimal, ZERO } from '../../../platform/decimal.ts';
import type { Period } from '../../../platform/period/index.ts';
import { type BurnDown, totalBalance } from './burn-down.ts';

/** The usage of one window and what was left when it began. */
export interface WindowOfHistory {
  readonly period: Period;
  readonly usage: Decimal;
  readonly balanceAtStart: Decimal;
}

/**
 * The windows of a run that was cut at each of them.
 * @param windows ascending, without gaps
 */
export function windowedHistory(run: BurnDown, windows: readonly Period[]): WindowOfHistory[] {
  const usageSegments = run.segments.filter(({ kind }) => kind === 'usage');
  let next = 0;
  return windows.map((period) => {
    while (next < usageSegments.length && (usageSegments[next]?.toMs ?? 0) <= period.fromMs) next++;
    const first = usageSegments[next];
    let usage = ZERO;
    for (let index = next; index < usageSegments.length; index++) {
      const segment = usageSegments[index];
      if (segment === undefined || segment.fromMs >= period.toMs) break;
      usage = usage.plus(segment.usage);
    }
    return { period, usage, balanceAtStart: first === undefined ? ZERO : totalBalance(first.balancesAtStart) };
  });
}
