import PQueue from 'p-queue';
import { RequestProblem } from '../../../platform/errors.ts';
import type { QuestionOutcome, UsageWatch } from '../watch-types.ts';

/** Questions on their way to whoever reads. */
export interface QuestionQueue {
  /**
   * One piece of work, admitted or refused as a whole: what it asks after its first question waits, and is not refused.
   * @param signal aborted when nobody waits for the answer any more
   * @param does asks what it needs; each is run when its turn comes, with a signal that tells the end of time too
   * @throws RequestProblem 503 when too many wait, or when it took longer than a client may ask for
   */
  work<T>(kind: string, signal: AbortSignal | undefined, does: (ask: Ask) => Promise<T>): Promise<T>;
  readonly running: number;
  readonly waiting: number;
  onIdle(): Promise<void>;
}

export type Ask = <A>(run: (ended: AbortSignal | undefined) => Promise<A>) => Promise<A>;

export interface QuestionBounds {
  /** Questions that are answered at the same time. */
  concurrency: number;
  /** Questions that wait; more are refused. */
  maxWaiting: number;
  /** A question with a signal, which is one that a client waits for, ends after so long. */
  timeoutMs: number;
}

const RETRY_AFTER_SECONDS = 1;

/** @param onQuestion told how each question ended */
export function createQuestionQueue(
  { concurrency, maxWaiting, timeoutMs }: QuestionBounds,
  onQuestion?: UsageWatch['onQuestion'],
): QuestionQueue {
  const queue = new PQueue({ concurrency });
  return {
    async work(kind, signal, does) {
      if (queue.size >= maxWaiting) {
        onQuestion?.({ kind, outcome: 'refused', tookMs: 0 });
        throw new RequestProblem('unavailable', `${maxWaiting} queries are waiting already. Try again.`, [], {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
      const beganAtMs = performance.now();
      const tell = (outcome: QuestionOutcome) => onQuestion?.({ kind, outcome, tookMs: performance.now() - beganAtMs });
      const timeout = signal && AbortSignal.timeout(timeoutMs);
      const ended = signal && timeout && AbortSignal.any([signal, timeout]);
      try {
        const answer = await does((run) => queue.add(() => run(ended)));
        tell('answered');
        return answer;
      } catch (error) {
        tell(ended?.aborted === true ? 'cancelled' : 'failed');
        if (timeout?.aborted === true && signal?.aborted === false) throw tookTooLong(timeoutMs);
        throw error;
      }
    },
    get running() {
      return queue.pending;
    },
    get waiting() {
      return queue.size;
    },
    onIdle: () => queue.onIdle(),
  };
}

function tookTooLong(timeoutMs: number): RequestProblem {
  const detail = `The query took longer than ${timeoutMs} ms. Ask for a shorter range or less detail.`;
  return new RequestProblem('unavailable', detail);
}
