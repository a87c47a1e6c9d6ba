import * as postgres from '../../../platform/postgres/failures.ts';

/** What a client is told of a database that cannot answer now; what is no failure of it stays as it is. */
export const unavailable = (error: unknown): unknown => postgres.unavailable(error, 'The database of usage');

/** So long what has failed is passed over: it is hardly any better at once. */
const PASSED_OVER_MS = 60_000;

/** Pieces of upkeep that have failed, so that they hold up no other. */
export interface Failures {
  add(key: string): void;
  any(): boolean;
  /** Those that are passed over now. */
  keys(): string[];
}

/** @param nowMs a clock that only rises */
export function createFailures(nowMs: () => number): Failures {
  const failedAtMs = new Map<string, number>();
  const forget = (): void => {
    for (const [key, atMs] of failedAtMs) if (nowMs() - atMs >= PASSED_OVER_MS) failedAtMs.delete(key);
  };
  return {
    add: (key) => failedAtMs.set(key, nowMs()),
    any() {
      forget();
      return failedAtMs.size > 0;
    },
    keys() {
      forget();
      return [...failedAtMs.keys()];
    },
  };
}
