import { RequestProblem } from '../errors.ts';

/** Of all long answers together that clients have not taken yet: some ten of the longest of a query, or invoices of 20,000 lines. */
const MOST_WAITING_BYTES = 128 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

let waitingBytes = 0;

/**
 * To be asked before a long answer is made to a request that changes nothing.
 * @throws RequestProblem 503 while clients have not taken what is ready for them
 */
export function requireAnswerRoom(): void {
  if (waitingBytes <= MOST_WAITING_BYTES) return;
  const detail = 'Long answers wait for clients that take them slowly. Try again.';
  throw new RequestProblem('unavailable', detail, [], { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

/** Counts what is held for one answer. @returns told how much it is from now on; 0 at its end */
export function holdAnswer(bytes: number): (bytes: number) => void {
  let held = 0;
  const hold = (now: number): void => {
    waitingBytes += now - held;
    held = now;
  };
  hold(bytes);
  return hold;
}
