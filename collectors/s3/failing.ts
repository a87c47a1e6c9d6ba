import type { Clock } from '../../delivery/clock.ts';

/** Objects that could not be read: since when, and when to try again. */
export interface Failing {
  readonly count: number;
  /** Whether it is too early for another attempt. To be asked of each object that a listing has. */
  isResting(key: string, etag: string): boolean;
  /** @returns for how long it has been failing, in milliseconds */
  failed(key: string, etag: string): number;
  mended(key: string): void;
  /** The listings are complete: what they did not have is not waited for any more; its keys. */
  passed(): readonly string[];
}

/** Beyond so many their age is not known, and each listing tries them. */
const MAX_FAILING = 10_000;
/** An attempt may cost a transfer of gigabytes: they get rarer, up to this. */
const MAX_REST_MS = 3_600_000;

interface State {
  /** What is written anew is tried at once. */
  readonly etag: string;
  readonly sinceMs: number;
  readonly attempts: number;
  readonly againAtMs: number;
}

/** @param restMs before the second attempt, and doubled before each further one */
export function createFailing(clock: Clock, restMs: number): Failing {
  const states = new Map<string, State>();
  let listed = new Set<string>();
  const stateOf = (key: string, etag: string) => {
    const state = states.get(key);
    return state?.etag === etag ? state : undefined;
  };
  return {
    get count() {
      return states.size;
    },
    isResting(key, etag) {
      if (states.has(key)) listed.add(key);
      const state = stateOf(key, etag);
      return state !== undefined && state.againAtMs > clock.now();
    },
    failed(key, etag) {
      const now = clock.now();
      const { sinceMs = now, attempts = 0 } = stateOf(key, etag) ?? {};
      if (states.size >= MAX_FAILING && !states.has(key)) return 0;
      const rest = Math.min(MAX_REST_MS, restMs * 2 ** Math.min(attempts, 20));
      listed.add(key);
      states.set(key, { etag, sinceMs, attempts: attempts + 1, againAtMs: now + rest });
      return now - sinceMs;
    },
    mended: (key) => states.delete(key),
    passed() {
      const gone = [...states.keys()].filter((key) => !listed.has(key));
      for (const key of gone) states.delete(key);
      listed = new Set();
      return gone;
    },
  };
}
