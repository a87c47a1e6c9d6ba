import type { Clock, Timer } from './clock.ts';

/** The right to make one attempt; a trial's outcome decides about an open breaker. */
export type Permit = 'normal' | 'trial';

/**
 * Stops sending to an endpoint that keeps failing. Open, it lets nobody through for the cooldown, then one attempt at
 * a time, until a success closes it. Without it every batch of a long outage would be spent on its retries.
 */
export interface Breaker {
  readonly isOpen: boolean;
  /** Milliseconds that it has been open so far, in total: from the failure that opened it to the success that closed it. */
  openMs(): number;
  /** Resolves when an attempt may be made, first come first served. */
  admit(): Promise<Permit>;
  succeeded(): void;
  /** @param isTokenRefused opens it at once, whatever the threshold: every other batch would be refused as well */
  failed(permit: Permit, isTokenRefused?: boolean): void;
  /** Lets everybody through from now on: at shutdown waiting is losing. */
  release(): void;
}

export interface BreakerOptions {
  /** Failures in a row that open it; 0 = only a refused token does. */
  readonly failureThreshold: number;
  readonly cooldownMs: number;
  readonly clock: Clock;
  readonly onChange: (isOpen: boolean) => void;
}

/** While open there are no backoffs, so a cooldown of 0 would be a hot loop against an endpoint that is down. */
const MIN_COOLDOWN_MS = 100;

export function createBreaker({ failureThreshold, cooldownMs, clock, onChange }: BreakerOptions): Breaker {
  const restMs = Math.max(cooldownMs, MIN_COOLDOWN_MS);
  const gate = createTrialGate(clock);
  let failuresInARow = 0;
  let openedAt: number | undefined;
  let pastOpenMs = 0;
  let isReleased = false;

  return {
    get isOpen() {
      return openedAt !== undefined;
    },
    openMs: () => pastOpenMs + (openedAt === undefined ? 0 : clock.now() - openedAt),
    admit: () => (openedAt === undefined || isReleased ? Promise.resolve('normal') : gate.wait()),
    succeeded() {
      failuresInARow = 0;
      if (openedAt === undefined) return;
      pastOpenMs += clock.now() - openedAt;
      openedAt = undefined;
      gate.admitAll();
      onChange(false);
    },
    failed(permit, isTokenRefused = false) {
      if (isReleased) return;
      if (openedAt === undefined) {
        failuresInARow++;
        const isEnough = failureThreshold > 0 && failuresInARow >= failureThreshold;
        if (!isEnough && !isTokenRefused) return;
        openedAt = clock.now();
        gate.restUntil(openedAt + restMs);
        onChange(true);
      } else if (permit === 'trial') {
        // Attempts that were under way when it opened say nothing new; only the trial's failure starts another rest.
        gate.restUntil(clock.now() + restMs);
      }
    },
    release() {
      isReleased = true;
      gate.admitAll();
    },
  };
}

/** Where attempts wait while the breaker is open. */
interface TrialGate {
  wait(): Promise<Permit>;
  /** The next trial leaves at that instant, if anybody waits; until its outcome is known no other does. */
  restUntil(at: number): void;
  admitAll(): void;
}

function createTrialGate(clock: Clock): TrialGate {
  // Bounded by the batches in flight. A batch whose trial failed queues up again behind the others, so that one batch
  // that the endpoint cannot digest does not keep the breaker open for all.
  const waiters: ((permit: Permit) => void)[] = [];
  let trialAt = 0;
  let isTrialOut = false;
  let timer: Timer | undefined;

  function admitNext(): void {
    if (isTrialOut || waiters.length === 0 || timer !== undefined) return;
    const waitMs = trialAt - clock.now();
    if (waitMs > 0) {
      timer = clock.setTimer(() => {
        timer = undefined;
        admitNext();
      }, waitMs);
      return;
    }
    isTrialOut = true;
    waiters.shift()?.('trial');
  }

  return {
    wait: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        admitNext();
      }),
    restUntil(at) {
      trialAt = at;
      isTrialOut = false;
      admitNext();
    },
    admitAll() {
      timer?.cancel();
      timer = undefined;
      isTrialOut = false;
      for (const admit of waiters.splice(0)) admit('normal');
    },
  };
}
