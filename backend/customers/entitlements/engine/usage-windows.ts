import type { UsageKind } from '../../../metering/usage-store/index.ts';
import { type Decimal, ZERO } from '../../../platform/decimal.ts';
import type { Period } from '../../../platform/period/index.ts';
import type { BurnDownInput } from './burn-down.ts';
import type { Segment } from './segments.ts';

export type { UsageKind };

export function burnDownMode(kind: UsageKind): BurnDownInput['mode'] {
  return kind === 'latest' ? 'level' : 'spend';
}

/** The stretch of which to ask the meter for the segment's sake; undefined when it holds no time. */
export function usageWindow(segment: Segment, kind: UsageKind): Period | undefined {
  if (segment.kind === 'rollover') return undefined;
  const fromMs = kind === 'additive' ? segment.fromMs : segment.periodFromMs;
  return segment.toMs > fromMs ? { fromMs, toMs: segment.toMs } : undefined;
}

/** The usage of each segment, from the meter's value for its window. */
export function usagesOf(
  segments: readonly Segment[],
  kind: UsageKind,
  meterValue: (window: Period) => Decimal,
): Decimal[] {
  let seen = ZERO;
  let periodFromMs: number | undefined;
  return segments.map((segment) => {
    const window = usageWindow(segment, kind);
    if (segment.periodFromMs !== periodFromMs) {
      periodFromMs = segment.periodFromMs;
      // A run may begin in the middle of a period: what was there before is in its starting state.
      const before = { fromMs: periodFromMs, toMs: segment.fromMs };
      seen = kind === 'distinct' && before.toMs > before.fromMs ? meterValue(before) : ZERO;
    }
    if (window === undefined) return ZERO;
    const value = meterValue(window);
    if (kind !== 'distinct') return value;
    const usage = value.minus(seen);
    seen = value;
    return usage;
  });
}
