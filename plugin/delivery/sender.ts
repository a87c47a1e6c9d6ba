import type { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import type { Entry, EventStore } from './event-store.ts';
import type { Ledger } from './ledger.ts';
import type { Fields } from './log.ts';
import type { Pauses } from './pauses.ts';
import { problemFields } from './problem.ts';
import type { RareLog } from './rare-log.ts';
import { parseRetryAfterMs, retryDelayMs } from './retry-delay.ts';
import type { QueueSettings } from './settings.ts';
import type { Transport } from './transport.ts';
import { type Answer, isTokenRefused, verdictOf } from './verdict.ts';

export interface SenderOptions {
  readonly queue: QueueSettings;
  /** Names the Delivery in log lines. */
  readonly endpoint: string;
  /** Tells Deliveries apart where lines are held to one a minute. */
  readonly key: string;
  /** Removes secrets from a text of foreign origin. */
  readonly scrub: (text: string) => string;
  readonly store: EventStore;
  readonly transport: Transport;
  readonly breaker: Breaker;
  readonly pauses: Pauses;
  readonly clock: Clock;
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly rareLog: RareLog;
  /** Whether shutdown has begun. */
  readonly isDraining: () => boolean;
  /** Aborted at the deadline of the shutdown: no more attempts. */
  readonly stop: AbortSignal;
}

export interface Sender {
  /** Sees taken entries through: each is settled, or given back when `stop` came first. Never rejects. */
  deliver(entries: readonly Entry[]): Promise<void>;
}

/** How the attempts on one batch ended. */
type Outcome =
  | { readonly kind: 'delivered' | 'stopped' }
  | { readonly kind: 'refused' | 'expired'; readonly answer: Answer };

/** At shutdown: as long a pause as may come before SIGKILL, and never a hot loop against a closed port. */
const DRAIN_DELAY_MS = { least: 10, most: 100 };
const MAX_ID_LENGTH = 128;

export function createSender(options: SenderOptions): Sender {
  return {
    async deliver(entries) {
      // A stack with the oldest on top. Halves are tried one after the other, in the slot of their batch: at most 2n-1
      // requests for n events, and about 2·log2(n) for one culprit. Each half has its own retry time.
      const parts: (readonly Entry[])[] = [entries];
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
        try {
          parts.push(...(await deliverPart(part, options)).reverse());
        } catch (error) {
          // Nothing above throws as far as we know. If it does, these events are lost, and say so; the others are not.
          drop('internal_error', part, { cause: options.scrub(String(error)) }, options);
        }
      }
    },
  };
}

/** Deals with one batch. Returns the parts to be sent in its place, oldest first. */
async function deliverPart(part: readonly Entry[], options: SenderOptions): Promise<(readonly Entry[])[]> {
  const { store, ledger, scrub } = options;
  const outcome = await attemptUntilJudged(part, options);
  switch (outcome.kind) {
    case 'delivered':
      store.settle(part);
      ledger.totals.sent += part.length;
      return [];
    case 'stopped':
      store.giveBack(part);
      return [];
    case 'expired':
      drop('retry_time_exceeded', part, answerFields(outcome.answer, scrub), options);
      return [];
    case 'refused': {
      const [only] = part;
      if (part.length <= 1) {
        const id = only?.id.slice(0, MAX_ID_LENGTH);
        drop('rejected', part, { id, ...answerFields(outcome.answer, scrub) }, options);
        return [];
      }
      const middle = part.length >> 1;
      return [part.slice(0, middle), part.slice(middle)];
    }
  }
}

/** Sends the same entries until there is an outcome. Time with an open breaker does not count as time spent trying. */
async function attemptUntilJudged(entries: readonly Entry[], options: SenderOptions): Promise<Outcome> {
  const { breaker, clock, ledger, pauses, queue, stop, transport } = options;
  let failedAttempts = 0;
  let startedAt = 0;
  for (;;) {
    const permit = await breaker.admit();
    if (stop.aborted) return { kind: 'stopped' };
    if (failedAttempts === 0) startedAt = clock.now() - breaker.openMs();
    else ledger.totals.retried++;
    // Joined anew for each attempt: kept, the bodies of batches that pause would double the memory of the buffer.
    const answer = await transport.post(bodyOf(entries), stop);
    const verdict = verdictOf(answer);
    if (verdict === 'retry') {
      if (stop.aborted) return { kind: 'stopped' };
      breaker.failed(permit);
      failedAttempts++;
      noteFailure(answer, options);
      // Kong's order: the limit is looked at after an attempt, so the last pause is always followed by one more.
      if (clock.now() - breaker.openMs() - startedAt >= queue.maxRetryTimeMs) return { kind: 'expired', answer };
      await pauses.sleep(pauseMs(answer, failedAttempts, options));
    } else {
      // An endpoint that judges content is alive.
      breaker.succeeded();
      return verdict === 'delivered' ? { kind: 'delivered' } : { kind: 'refused', answer };
    }
  }
}

function pauseMs(answer: Answer, failedAttempts: number, options: SenderOptions): number {
  const { breaker, clock, queue, random } = options;
  const retryAfterMs =
    answer.kind === 'status' ? parseRetryAfterMs(answer.retryAfter, answer.date, clock.epochMs()) : undefined;
  // The cooldown of an open breaker takes the place of the backoff.
  const initialRetryDelayMs = breaker.isOpen ? 0 : queue.initialRetryDelayMs;
  const { maxRetryDelayMs } = queue;
  const delayMs = retryDelayMs({ failedAttempts, initialRetryDelayMs, maxRetryDelayMs, retryAfterMs, random });
  return options.isDraining() ? Math.min(Math.max(delayMs, DRAIN_DELAY_MS.least), DRAIN_DELAY_MS.most) : delayMs;
}

function noteFailure(answer: Answer, { endpoint, key, rareLog, scrub }: SenderOptions): void {
  const fields = { endpoint, ...answerFields(answer, scrub) };
  if (isTokenRefused(answer)) {
    rareLog.note({ key: `${key} token`, level: 'error', msg: 'the endpoint refused the API token', fields });
  } else {
    rareLog.note({ key: `${key} failed`, level: 'warn', msg: 'delivery failed, trying again', fields });
  }
}

function drop(reason: string, entries: readonly Entry[], fields: Fields, options: SenderOptions): void {
  options.store.settle(entries);
  options.ledger.drop(reason, entries.length, { endpoint: options.endpoint, ...fields });
}

function answerFields(answer: Answer, scrub: (text: string) => string): Fields {
  return answer.kind === 'status'
    ? { status: answer.status, ...problemFields(answer.excerpt, scrub) }
    : { code: answer.code, cause: scrub(answer.message) };
}

function bodyOf(entries: readonly Entry[]): string {
  return `[${entries.map((entry) => entry.json).join(',')}]`;
}
