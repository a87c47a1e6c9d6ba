import type { Clock } from '../../../delivery/clock.ts';

export interface ManualClock extends Clock {
  /** Moves the time on, and fires on the way what falls due, in order. */
  advance(byMs: number): void;
  /** Milliseconds until each timer that is set, background ones left out. */
  timersInMs(): number[];
}

interface SetTimer {
  readonly at: number;
  readonly run: () => void;
  readonly background: boolean;
}

/** A clock that stands still until it is moved. */
export function createManualClock(epochAtStartMs = Date.UTC(2026, 10, 21, 12)): ManualClock {
  const timers = new Set<SetTimer>();
  let now = 0;

  function nextUntil(end: number): SetTimer | undefined {
    let next: SetTimer | undefined;
    for (const timer of timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }

  return {
    now: () => now,
    epochMs: () => epochAtStartMs + now,
    setTimer(run, delayMs, options) {
      const timer = { at: now + delayMs, run, background: options?.background === true };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    advance(byMs) {
      const end = now + byMs;
      for (let next = nextUntil(end); next !== undefined; next = nextUntil(end)) {
        timers.delete(next);
        now = Math.max(now, next.at);
        next.run();
      }
      now = end;
    },
    timersInMs: () => Array.from(timers).flatMap((timer) => (timer.background ? [] : [timer.at - now])),
  };
}
