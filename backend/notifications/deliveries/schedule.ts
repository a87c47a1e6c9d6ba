/** When an attempt that failed is repeated. Source: Standard Webhooks 1.0.0, which spreads ten attempts over three days. Pure. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first, second … attempt. */
const DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** So that what failed together does not come again together. */
const JITTER = 0.1;
/** Longer than this a receiver does not make anybody wait. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/** Attempts that fail in a row before a channel is asked less often. */
export const FAILURES_BEFORE_PAUSE = 3;
const FIRST_PAUSE_MS = 5 * SECOND_MS;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;

/**
 * @param attempt how many have been made of this round, from 1
 * @param random from 0 to 1
 * @returns how long to wait; undefined: no more
 */
export function retryDelayMs(attempt: number, random: number, retryAfterMs: number | undefined): number | undefined {
  const delayMs = DELAYS_MS[attempt - 1];
  if (delayMs === undefined) return undefined;
  const jitteredMs = Math.round(delayMs * (1 + JITTER * random));
  return Math.max(jitteredMs, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/** How long a channel is left alone, whatever else waits for it. @param failures in a row */
export function pauseMs(failures: number, retryAfterMs: number | undefined): number {
  const beyond = failures - FAILURES_BEFORE_PAUSE;
  const ownMs = beyond < 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(beyond, 10), LONGEST_PAUSE_MS);
  return Math.max(ownMs, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}
