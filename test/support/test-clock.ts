import type { Clock } from '../../backend/platform/clock.ts';

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  set(instant: string): void;
  advanceMs(durationMs: number): void;
}

export function testClock(start = '2026-11-21T12:00:00.000Z'): TestClock {
  let nowMs = Date.parse(start);
  return {
    nowMs: () => nowMs,
    set: (instant) => {
      nowMs = Date.parse(instant);
    },
    advanceMs: (durationMs) => {
      nowMs += durationMs;
    },
  };
}
