/** What the pause before the next attempt is made of. */
export interface RetryDelayInput {
  /** Failed attempts so far, at least 1. */
  readonly failedAttempts: number;
  readonly initialRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** 2^30 times any delay is past every cap; without a limit 0 × 2^1024 would be NaN, which timers take for 1 ms. */
const MAX_EXPONENT = 30;

/**
 * Exponential backoff with full jitter: uniform between 0 and min(max, initial × 2^(n-1)), so that the nodes of a
 * cluster that failed together do not come back together. `Retry-After` raises the pause, up to the same maximum: a
 * header from outside must not be able to park the queue for an hour while events at its other end are dropped.
 */
export function retryDelayMs(input: RetryDelayInput): number {
  const exponent = Math.min(input.failedAttempts - 1, MAX_EXPONENT);
  const ceilingMs = Math.min(input.maxRetryDelayMs, input.initialRetryDelayMs * 2 ** exponent);
  const askedMs = Math.min(input.maxRetryDelayMs, input.retryAfterMs ?? 0);
  return Math.max(input.random() * ceilingMs, askedMs);
}

/**
 * `Retry-After` (RFC 9110 §10.2.3) in milliseconds from now: seconds, or an HTTP date. A date is held against the
 * answer's own `Date` where there is one, since the two come from the same clock and ours may differ.
 * Undefined when the header is absent or unreadable; 0 when the moment has passed.
 */
export function parseRetryAfterMs(
  retryAfter: string | undefined,
  date: string | undefined,
  epochMs: number,
): number | undefined {
  if (retryAfter === undefined) return undefined;
  const text = retryAfter.trim();
  if (/^\d{1,10}$/.test(text)) return Number.parseInt(text, 10) * 1000;
  // Date.parse reads almost anything ("-1" is a day in 2001); an HTTP date ends in GMT.
  if (!text.endsWith('GMT')) return undefined;
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) return undefined;
  const serverNowMs = date === undefined ? Number.NaN : Date.parse(date);
  return Math.max(0, atMs - (Number.isNaN(serverNowMs) ? epochMs : serverNowMs));
}
