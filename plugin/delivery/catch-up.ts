import type { Clock } from '../../delivery/clock.ts';

/**
 * Holds back what has waited on disk, so that an endpoint that was down is not overrun when it is up again. What comes
 * in meanwhile may leave on top of the rate: a gateway that takes more than the rate would otherwise never catch up.
 */
export interface CatchUp {
  /** Events came in. */
  credit(events: number): void;
  /** Milliseconds until a batch may leave; 0 = now. */
  waitMs(): number;
  /** Events left. They may be more than there was room for; the next batch waits for longer, then. */
  spend(events: number): void;
}

/** What has not been used is kept for this long, so that a timer that comes late does not slow things down. */
const KEPT_MS = 100;

export function createCatchUp(eventsPerSecond: number, clock: Clock): CatchUp {
  const most = Math.max(1, (eventsPerSecond * KEPT_MS) / 1000);
  let allowed = most;
  let refilledAt = clock.now();

  function refill(): void {
    const now = clock.now();
    allowed = Math.min(most, allowed + ((now - refilledAt) * eventsPerSecond) / 1000);
    refilledAt = now;
  }

  return {
    credit(events) {
      allowed = Math.min(most, allowed + events);
    },
    waitMs() {
      refill();
      return allowed > 0 ? 0 : Math.ceil((1000 * (1 - allowed)) / eventsPerSecond);
    },
    spend(events) {
      allowed -= events;
    },
  };
}
