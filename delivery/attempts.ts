import type { Aside, Queued } from './aside.ts';
import type { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { judge, type Rejection } from './lenient-answer.ts';
import type { Fields } from './log.ts';
import type { Pauses } from './pauses.ts';
import { problemFields } from './problem.ts';
import type { RareLog } from './rare-log.ts';
import { parseRetryAfterMs, retryDelayMs } from './retry-delay.ts';
import type { Transport } from './transport.ts';
import { type Answer, isTokenRefused, verdictOf } from './verdict.ts';

/** How long to wait between attempts, and when to give up. */
export interface RetrySettings {
  readonly initialRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
  /** A batch is given up this long after its first attempt; has no effect where batches are put aside. */
  readonly maxRetryTimeMs: number;
}

/** Where the events of a batch come from, as far as attempts need to know. */
export interface Outgoing<T extends Queued> {
  /** Events that wait behind those under way. */
  readonly waiting: number;
  /** What the batch says of itself. */
  headersOf(entries: readonly T[]): Record<string, string>;
  /** The JSON array of the events, in pieces that must not change. */
  bodyOf(entries: readonly T[]): readonly Buffer[];
  /** A request is about to repeat one that has failed. */
  onRetry(): void;
}

export interface AttemptOptions<T extends Queued> {
  readonly retry: RetrySettings;
  /** Names the endpoint in log lines. */
  readonly endpoint: string;
  /** Tells senders apart where lines are held to one a minute. */
  readonly key: string;
  /** Removes secrets from a text of foreign origin. */
  readonly scrub: (text: string) => string;
  readonly outgoing: Outgoing<T>;
  readonly transport: Transport;
  readonly breaker: Breaker;
  readonly pauses: Pauses;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rareLog: RareLog;
  /** Given: no batch is ever given up. One that keeps failing makes way for the others there. */
  readonly aside?: Aside<T> | undefined;
  /** Told of each answer, for what it says about the endpoint. */
  readonly onAnswer?: ((answer: Answer) => void) | undefined;
  /** Whether shutdown has begun. */
  readonly isDraining: () => boolean;
  /** Aborted at the deadline of the shutdown: no more attempts. */
  readonly stop: AbortSignal;
}

/** How the attempts on one batch ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly rejections: readonly Rejection[]; readonly answer: Answer }
  | { readonly kind: 'stopped' }
  /** unclear: accepted but for some events, of which nobody can say which ones; failing: to be put aside. */
  | { readonly kind: 'refused' | 'expired' | 'failing' | 'unclear'; readonly answer: Answer };

/** At shutdown: as long a pause as may come before SIGKILL, and never a hot loop against a closed port. */
const DRAIN_DELAY_MS = { least: 10, most: 100 };
/** A batch makes way for others when it has failed so often and for so long: longer than an endpoint takes to restart. */
const PATIENCE = { attempts: 3, ms: 10_000 };

/**
 * Sends the same entries until there is an outcome. Time with an open breaker does not count as time spent trying.
 * @param isReturned they have been put aside before: one failure is enough
 */
export async function attemptUntilJudged<T extends Queued>(
  entries: readonly T[],
  isReturned: boolean,
  options: AttemptOptions<T>,
): Promise<Outcome> {
  const { breaker, clock, outgoing, pauses, stop } = options;
  const tried = { failedAttempts: 0, firstAt: 0, startedAt: 0 };
  for (;;) {
    const permit = await breaker.admit();
    if (stop.aborted) return { kind: 'stopped' };
    if (tried.failedAttempts === 0) {
      tried.firstAt = clock.now();
      tried.startedAt = tried.firstAt - breaker.openMs();
    } else outgoing.onRetry();
    const answer = await attempt(entries, options);
    const outcome = outcomeOf(answer, entries);
    if (outcome !== undefined) {
      // An endpoint that judges content is alive.
      breaker.succeeded();
      return outcome;
    }
    if (stop.aborted) return { kind: 'stopped' };
    // That a batch fails which is known to fail says nothing new about the endpoint.
    if (!isReturned || permit === 'trial') breaker.failed(permit, isTokenRefused(answer));
    tried.failedAttempts++;
    noteFailure(answer, options);
    // Kong's order: the limits are looked at after an attempt, so the last pause is always followed by one more.
    const end = isReturned && mayYield(answer, options) ? 'failing' : endOf(tried, entries, answer, options);
    if (end !== undefined) return { kind: end, answer };
    await pauses.sleep(pauseMs(answer, tried.failedAttempts, options));
  }
}

async function attempt<T extends Queued>(entries: readonly T[], options: AttemptOptions<T>): Promise<Answer> {
  const { outgoing, transport, stop } = options;
  // Joined anew for each attempt: kept, the bodies of batches that pause would double the memory of the buffer.
  const answer = await transport.post(outgoing.bodyOf(entries), outgoing.headersOf(entries), stop);
  options.onAnswer?.(answer);
  return answer;
}

/** undefined = the same has to be sent again. */
function outcomeOf(answer: Answer, { length }: readonly unknown[]): Outcome | undefined {
  const verdict = verdictOf(answer);
  if (verdict === 'retry') return undefined;
  if (verdict === 'split') return { kind: 'refused', answer };
  const judgement = judge(answer, length);
  if (judgement.kind === 'broken off') return undefined;
  if (judgement.kind === 'unreadable') return { kind: 'unclear', answer };
  return { kind: 'delivered', rejections: judgement.rejections, answer };
}

function endOf<T extends Queued>(
  { failedAttempts, firstAt, startedAt }: { failedAttempts: number; firstAt: number; startedAt: number },
  entries: readonly T[],
  answer: Answer,
  options: AttemptOptions<T>,
): 'expired' | 'failing' | undefined {
  const { aside, breaker, clock, outgoing, retry } = options;
  const now = clock.now();
  if (aside === undefined) return now - breaker.openMs() - startedAt >= retry.maxRetryTimeMs ? 'expired' : undefined;
  const isTriedEnough = failedAttempts >= PATIENCE.attempts && now - firstAt >= PATIENCE.ms;
  const isInTheWay = isTriedEnough && outgoing.waiting > 0 && aside.hasRoomFor(entries);
  return isInTheWay && mayYield(answer, options) ? 'failing' : undefined;
}

/** A refused token is nobody's fault but the token's; and at shutdown there is no later. */
function mayYield(answer: Answer, { isDraining }: Pick<AttemptOptions<Queued>, 'isDraining'>): boolean {
  return !isTokenRefused(answer) && !isDraining();
}

function pauseMs<T extends Queued>(answer: Answer, failedAttempts: number, options: AttemptOptions<T>): number {
  const { breaker, clock, retry, random } = options;
  const retryAfterMs =
    answer.kind === 'status' ? parseRetryAfterMs(answer.retryAfter, answer.date, clock.epochMs()) : undefined;
  // The cooldown of an open breaker takes the place of the backoff.
  const initialRetryDelayMs = breaker.isOpen ? 0 : retry.initialRetryDelayMs;
  const { maxRetryDelayMs } = retry;
  const delayMs = retryDelayMs({ failedAttempts, initialRetryDelayMs, maxRetryDelayMs, retryAfterMs, random });
  return options.isDraining() ? Math.min(Math.max(delayMs, DRAIN_DELAY_MS.least), DRAIN_DELAY_MS.most) : delayMs;
}

function noteFailure<T extends Queued>(answer: Answer, { endpoint, key, rareLog, scrub }: AttemptOptions<T>): void {
  const fields = { endpoint, ...answerFields(answer, scrub) };
  if (isTokenRefused(answer)) {
    rareLog.note({ key: `${key} token`, level: 'error', msg: 'the endpoint refused the API token', fields });
  } else {
    rareLog.note({ key: `${key} failed`, level: 'warn', msg: 'delivery failed, trying again', fields });
  }
}

/** What an answer says, for a log line. */
export function answerFields(answer: Answer, scrub: (text: string) => string): Fields {
  return answer.kind === 'status'
    ? { status: answer.status, ...problemFields(answer.excerpt, scrub) }
    : { code: answer.code, cause: scrub(answer.message) };
}
