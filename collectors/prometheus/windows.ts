import type { Schedule } from '../core/schedule.ts';

/** A slice of time, without its start and with its end, as Prometheus has ranges. Milliseconds since 1970. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far a query or counter has come. */
export interface Progress {
  /** Where the first window that was ever asked for begins. */
  readonly sinceMs: number;
  /** Up to here all is taken, or given up. */
  readonly upToMs: number;
  /** Since when there have been no scrapes; told when it is over. */
  readonly gapFromMs?: number | undefined;
}

export type NextWindow =
  | { readonly kind: 'due'; readonly window: Window }
  | { readonly kind: 'too old'; readonly window: Window }
  /** `atMs` undefined = the schedule has no more ticks. */
  | { readonly kind: 'later'; readonly atMs: number | undefined };

export interface WindowSettings {
  readonly schedule: Schedule;
  readonly queryOffsetMs: number;
  readonly delayMs: number;
  readonly startMs: number | undefined;
  readonly maxAgeMs: number;
}

/** How windows follow one another: where they end derives from the schedule and the offset alone. */
export interface Windows {
  /** @param progress undefined = there is none yet */
  next(progress: Progress | undefined, nowMs: number): NextWindow;
  /** Whether it is as long as the schedule says; after a change of the schedule the first one is not. */
  isWhole(window: Window): boolean;
  /** How many windows are over and not taken. */
  dueCount(progress: Progress | undefined, nowMs: number): number;
}

/** Beyond so many it does not matter any more how many there are. */
const MAX_COUNTED = 100_000;

export function createWindows(settings: WindowSettings): Windows {
  const { schedule, queryOffsetMs, delayMs, startMs, maxAgeMs } = settings;
  const settleMs = Math.max(queryOffsetMs, delayMs);
  const endAfter = (ms: number) => shifted(schedule.after(ms + queryOffsetMs));
  const endAtOrBefore = (ms: number) => shifted(schedule.atOrBefore(ms + queryOffsetMs));
  const shifted = (tick: number | undefined) => (tick === undefined ? undefined : tick - queryOffsetMs);

  /** Where a new one begins: at `start`, or with the last window that is over. */
  function firstFrom(nowMs: number): number | undefined {
    if (startMs !== undefined) return endAtOrBefore(startMs) === startMs ? startMs : endAfter(startMs);
    const to = endAtOrBefore(nowMs - settleMs);
    return to === undefined ? undefined : endAtOrBefore(to - 1);
  }

  const fromOf = (progress: Progress | undefined, nowMs: number) => progress?.upToMs ?? firstFrom(nowMs);

  return {
    next(progress, nowMs) {
      const fromMs = fromOf(progress, nowMs);
      const toMs = fromMs === undefined ? endAfter(nowMs) : endAfter(fromMs);
      if (toMs === undefined) return { kind: 'later', atMs: undefined };
      if (fromMs === undefined || toMs + settleMs > nowMs) return { kind: 'later', atMs: toMs + settleMs };
      const oldest = endAtOrBefore(nowMs - maxAgeMs);
      if (oldest !== undefined && oldest > fromMs) return { kind: 'too old', window: { fromMs, toMs: oldest } };
      return { kind: 'due', window: { fromMs, toMs } };
    },
    isWhole: ({ fromMs, toMs }) => endAtOrBefore(toMs - 1) === fromMs,
    dueCount(progress, nowMs) {
      const fromMs = fromOf(progress, nowMs);
      const last = endAtOrBefore(nowMs - settleMs);
      if (fromMs === undefined || last === undefined || last <= fromMs) return 0;
      const { everyMs } = schedule;
      // Ticks of others are days and months apart as a rule: that there is one is what matters.
      return everyMs === undefined ? 1 : Math.min(MAX_COUNTED, Math.ceil((last - fromMs) / everyMs));
    },
  };
}
