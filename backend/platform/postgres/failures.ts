import { RequestProblem } from '../errors.ts';

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
  // The connection is gone, or was not to be had: nothing that was asked is the cause.
  if ('severity' in error && error.severity === 'FATAL') return true;
  if (code === LOCK_NOT_AVAILABLE || code === READ_ONLY) return true;
  if (/^[0-9A-Z]{5}$/.test(code) && PASSING_CLASSES.includes(code.slice(0, 2))) return true;
  return LOST.test(`${code} ${error.message}`);
}

/**
 * What a client is told of a database that cannot answer now; what is no failure of it stays as it is.
 * @param database as a sentence begins with it: "The database of usage"
 */
export function unavailable(error: unknown, database: string): unknown {
  if (error instanceof RequestProblem || !isPassing(error)) return error;
  const problem = new RequestProblem('unavailable', `${database} cannot answer now. Try again.`, [], {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  problem.cause = error;
  return problem;
}
