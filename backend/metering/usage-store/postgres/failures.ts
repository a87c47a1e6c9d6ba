import { RequestProblem } from '../../../platform/errors.ts';

/** Classes of SQLSTATE: the connection, the server's resources, its operator, deadlocks and the like. */
const PASSING_CLASSES = ['08', '53', '57', '58', '40'];
const LOCK_NOT_AVAILABLE = '55P03';
const READ_ONLY = '25006';
const LOST =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|Connection terminated|timeout exceeded when trying to connect|not queryable/;
const RETRY_AFTER_SECONDS = 2;

/** Whether the same may well be answered a little later. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === LOCK_NOT_AVAILABLE || code === READ_ONLY) return true;
  if (/^[0-9A-Z]{5}$/.test(code) && PASSING_CLASSES.includes(code.slice(0, 2))) return true;
  return LOST.test(`${code} ${error.message}`);
}

/** What a client is told of a database that cannot answer now; what is no failure of it stays as it is. */
export function unavailable(error: unknown): unknown {
  if (error instanceof RequestProblem || !isPassing(error)) return error;
  const problem = new RequestProblem('unavailable', 'The database of usage cannot answer now. Try again.', [], {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  problem.cause = error;
  return problem;
}

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
