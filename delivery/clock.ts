/** A timer that has been set and can be called off. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** The time as this folder sees it; tests pass one that they move by hand. */
export interface Clock {
  /** Monotonic milliseconds: only differences mean something. A step of the wall clock must not expire retries. */
  now(): number;
  /** Wall time, milliseconds since 1970, for dates that come from outside (`Retry-After`). */
  epochMs(): number;
  /**
   * Runs `run` once after `delayMs`. A timer keeps the process alive, since somebody's events wait for it;
   * `background` timers (log lines) do not.
   */
  setTimer(run: () => void, delayMs: number, options?: { readonly background?: boolean }): Timer;
}

/** Node fires a timer of more than 2^31-1 ms after 1 ms, so a retry in a month would become a hot loop. */
const MAX_TIMER_MS = 2_147_483_647;

/** A delay that Node's timers can keep: whole milliseconds, at least `leastMs`. */
export function timerSafeMs(delayMs: number, leastMs = 0): number {
  return Math.min(MAX_TIMER_MS, Math.max(leastMs, Math.ceil(delayMs)));
}

export const systemClock: Clock = {
  now: () => performance.now(),
  epochMs: () => Date.now(),
  setTimer(run, delayMs, options) {
    const timer = setTimeout(run, timerSafeMs(delayMs));
    if (options?.background === true) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
