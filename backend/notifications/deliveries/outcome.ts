import type { ClaimedDelivery, QueueState, Settled } from '../outbox/index.ts';
import { pauseMs, retryDelayMs } from './schedule.ts';
import type { Sent } from './types.ts';

/** How long a channel may fail without any success. Source: Svix. */
const DEAD_AFTER_MS = 5 * 86_400_000;

/** What becomes of a message, and of its channel, after an attempt. Pure. */
export function afterAttempt(
  { attempt, state }: ClaimedDelivery,
  sent: Sent,
  queue: QueueState,
  nowMs: number,
  random: number,
): Omit<Settled, 'attempt'> {
  if (sent.isSuccess) {
    const well = { failures: 0, failingSinceMs: undefined, pausedUntilMs: undefined };
    return { state: 'success', reason: '', dueAtMs: undefined, queue: well };
  }
  const { retryAfterMs } = sent;
  const failures = queue.failures + 1;
  const pausedMs = pauseMs(failures, retryAfterMs);
  const failing = {
    failures,
    failingSinceMs: queue.failingSinceMs ?? nowMs,
    pausedUntilMs: pausedMs === 0 ? undefined : nowMs + pausedMs,
  };
  const delayMs = sent.isRefused || sent.isGone ? undefined : retryDelayMs(attempt + 1, random, retryAfterMs);
  if (delayMs !== undefined) {
    const next = state === 'resending' ? state : 'sending';
    return { state: next, reason: reasonOf(sent), dueAtMs: nowMs + delayMs, queue: failing };
  }
  const reason = sent.isGone ? 'receiver_gone' : sent.isRefused ? 'refused_by_receiver' : 'attempts_exhausted';
  return { state: 'failed', reason, dueAtMs: undefined, queue: failing };
}

function reasonOf({ statusCode, body }: Sent): string {
  return statusCode === undefined ? body : `answered ${statusCode}`;
}

/** Why nothing more is sent to the channel; undefined: it goes on. */
export function whyDead(sent: Sent, { failingSinceMs }: Settled['queue'], nowMs: number): string | undefined {
  if (sent.isGone === true) return 'The receiver answered 410 (Gone).';
  if (failingSinceMs === undefined || nowMs - failingSinceMs < DEAD_AFTER_MS) return undefined;
  return 'Every message of five days has failed.';
}
