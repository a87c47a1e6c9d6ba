import { RequestProblem } from '../../../platform/errors.ts';
import { isPassing } from '../../../platform/postgres/failures.ts';
import type { AppendResult } from '../types.ts';
import type { UsageWatch } from '../watch-types.ts';
import type { AppendRequest } from './ingest.ts';

/** Requests on their way into the database. */
export interface IngestQueue {
  /** @throws RequestProblem 503 when too much waits */
  append(request: AppendRequest): Promise<AppendResult>;
  readonly queuedEvents: number;
  /** Waits until nothing is on its way. */
  close(): Promise<void>;
}

/** A transaction that is too long makes all its clients wait. */
const MAX_EVENTS_PER_TRANSACTION = 4096;
/** The same for events with much in them; of one request all go together. */
const MAX_CHARACTERS_PER_TRANSACTION = 1_048_576;
const RETRY_AFTER_SECONDS = 1;

interface Waiting {
  request: AppendRequest;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}

/**
 * Requests that arrive while transactions wait for the disk share the next one, as those of one backend's SQLite file do.
 * @param store stores several requests in one transaction
 */
export function createIngestQueue(
  store: (requests: readonly AppendRequest[]) => Promise<AppendResult[]>,
  options: { maxQueuedEvents: number; connections: number; onCommit?: UsageWatch['onCommit'] },
): IngestQueue {
  let waiting: Waiting[] = [];
  let queuedEvents = 0;
  let running = 0;
  let isClosed = false;
  let onIdle: () => void = () => {};

  const take = (): Waiting[] => {
    let events = 0;
    let characters = 0;
    const fitting = waiting.findIndex(({ request }) => {
      events += request.events.length;
      for (const { data } of request.events) characters += data?.length ?? 0;
      return events > MAX_EVENTS_PER_TRANSACTION || characters > MAX_CHARACTERS_PER_TRANSACTION;
    });
    const taken = waiting.slice(0, fitting === -1 ? waiting.length : Math.max(1, fitting));
    waiting = waiting.slice(taken.length);
    return taken;
  };
  const run = async (taken: readonly Waiting[]): Promise<void> => {
    const events = taken.reduce((sum, { request }) => sum + request.events.length, 0);
    const beganAtMs = performance.now();
    try {
      const results = await store(taken.map(({ request }) => request));
      options.onCommit?.({ events, tookMs: performance.now() - beganAtMs });
      for (const [index, { resolve }] of taken.entries()) resolve(results[index] as AppendResult);
    } catch (error) {
      // What fails for one request's events must not fail those that came beside it.
      if (taken.length > 1 && !isPassing((error as Error).cause ?? error)) await runEach(taken);
      else for (const { reject } of taken) reject(error);
    }
    queuedEvents -= events;
  };
  const runEach = async (taken: readonly Waiting[]): Promise<void> => {
    for (const { request, resolve, reject } of taken) {
      try {
        const [result] = await store([request]);
        resolve(result as AppendResult);
      } catch (error) {
        reject(error);
      }
    }
  };
  const next = (): void => {
    while (running < options.connections && waiting.length > 0) {
      running++;
      run(take()).finally(() => {
        running--;
        next();
      });
    }
    if (running === 0 && waiting.length === 0) onIdle();
  };

  return {
    append(request) {
      if (isClosed) return Promise.reject(new Error('the usage store is closed'));
      // One request alone is always taken, however large: nobody could ever send it otherwise.
      if (queuedEvents > 0 && queuedEvents + request.events.length > options.maxQueuedEvents) {
        const detail = 'The ingest queue is full; nothing was stored. Try again.';
        const problem = new RequestProblem('unavailable', detail, [], { retryAfterSeconds: RETRY_AFTER_SECONDS });
        return Promise.reject(problem);
      }
      queuedEvents += request.events.length;
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        // Those of the same turn of the event loop go together.
        if (waiting.length === 1) setImmediate(next);
      });
    },
    get queuedEvents() {
      return queuedEvents;
    },
    close: async () => {
      isClosed = true;
      if (running === 0 && waiting.length === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onIdle = resolve;
      await promise;
    },
  };
}
