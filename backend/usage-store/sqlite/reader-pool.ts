import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { RequestProblem } from '../../platform/errors.ts';
import type { UsageQuery } from '../types.ts';
import type { QuestionOutcome, UsageWatch } from '../watch-types.ts';
import { askInPieces } from './query-pieces.ts';
import type { ReaderAnswer, ReaderOptions, ReaderRequest, ToReader } from './thread-messages.ts';
import type { QueryAnswer } from './usage-rows.ts';

/** Threads that read, each one request at a time. */
export interface ReaderPool {
  /**
   * @param signal aborted when nobody waits for the answer any more: the query ends early
   * @throws RequestProblem 503 when too many wait, or when it took longer than a client may ask for
   */
  ask<T>(request: ReaderRequest, signal?: AbortSignal): Promise<T>;
  /** Many queries of one piece of work, which waits as one question does. @throws as `ask` */
  queryAll(queries: readonly UsageQuery[], signal?: AbortSignal): Promise<(QueryAnswer & { snapshot: string })[]>;
  readonly running: number;
  readonly waiting: number;
  close(): Promise<void>;
}

export interface ReaderBounds {
  /** Queries that wait for a thread; more are refused. */
  maxWaiting: number;
  /** A query with a signal, which is one that a client waits for, ends after so long. */
  timeoutMs: number;
}

const RETRY_AFTER_SECONDS = 1;

/**
 * @param threads how many queries run at the same time; more wait
 * @param onQuestion told how each question ended
 */
export function startReaders(
  options: ReaderOptions,
  threads: number,
  { maxWaiting, timeoutMs }: ReaderBounds,
  onQuestion?: UsageWatch['onQuestion'],
): ReaderPool {
  const workers = createWorkers(options);
  const queue = new PQueue({ concurrency: threads });
  let isClosed = false;

  async function run<T>(request: ReaderRequest, signal: AbortSignal | undefined): Promise<T> {
    if (isClosed) throw new Error('the usage store is closed');
    signal?.throwIfAborted();
    const worker = workers.take();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const cancel = () => Atomics.store(cancelled, 0, 1);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const answer = await exchange(worker, { request, cancelled });
      signal?.throwIfAborted();
      if (answer.isRefused === true) throw new RequestProblem('bad-request', answer.reason);
      if (answer.reason !== undefined) throw new Error(answer.reason);
      if (answer.waitingRows > 0) await fetchRest(worker, answer, signal);
      return answer.result as T;
    } finally {
      signal?.removeEventListener('abort', cancel);
      workers.giveBack(worker);
    }
  }

  /** One piece of work, admitted or refused as a whole: what it asks after its first question waits, and is not refused. */
  async function work<T>(
    kind: string,
    signal: AbortSignal | undefined,
    does: (ask: <A>(request: ReaderRequest) => Promise<A>) => Promise<T>,
  ): Promise<T> {
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
      const answer = await does((request) => queue.add(() => run(request, ended)));
      tell('answered');
      return answer;
    } catch (error) {
      tell(ended?.aborted === true ? 'cancelled' : 'failed');
      if (timeout?.aborted === true && signal?.aborted === false) throw tookTooLong(timeoutMs);
      throw error;
    }
  }

  return {
    ask: (request, signal) => work(request.kind, signal, (ask) => ask(request)),
    queryAll: (queries, signal) =>
      queries.length === 0
        ? Promise.resolve([])
        : work('queries', signal, (ask) => askInPieces(queries, (piece) => ask({ kind: 'queries', queries: piece }))),
    get running() {
      return queue.pending;
    },
    get waiting() {
      return queue.size;
    },
    close: async () => {
      isClosed = true;
      await queue.onIdle();
      await workers.stop();
    },
  };
}

function tookTooLong(timeoutMs: number): RequestProblem {
  const detail = `The query took longer than ${timeoutMs} ms. Ask for a shorter range or less detail.`;
  return new RequestProblem('unavailable', detail);
}

function createWorkers(options: ReaderOptions) {
  const start = () => new Worker(new URL('./reader-thread.ts', import.meta.url), { workerData: options });
  // Each when it is needed: the first by the first query, the others when queries really overlap. One that has ended (out
  // of memory) is replaced by the next query.
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  return {
    take: (): Worker => {
      let worker = idle.pop();
      while (worker !== undefined && !workers.has(worker)) worker = idle.pop();
      if (worker !== undefined) return worker;
      const started = start();
      workers.add(started);
      // Its error is told to whoever waits for it; an idle one has nobody, and must not end the process.
      started.on('error', () => workers.delete(started)).on('exit', () => workers.delete(started));
      return started;
    },
    giveBack: (worker: Worker): void => {
      idle.push(worker);
    },
    stop: async (): Promise<void> => {
      const ended = [...workers].map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      for (const worker of workers) worker.postMessage('stop' satisfies ToReader);
      await Promise.all(ended);
    },
  };
}

/** The other rows, a part at a time: between two of them the event loop serves others. */
async function fetchRest(worker: Worker, { result }: ReaderAnswer, signal: AbortSignal | undefined): Promise<void> {
  const { rows } = result as { rows: unknown[] };
  for (let waitingRows = 1; waitingRows > 0; ) {
    const part = await exchange(worker, 'more');
    signal?.throwIfAborted();
    for (const row of part.result as unknown[]) rows.push(row);
    waitingRows = part.waitingRows ?? 0;
  }
}

function exchange(worker: Worker, message: ToReader): Promise<ReaderAnswer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: ReaderAnswer) => done(() => resolve(answer));
    const onError = (error: unknown) => done(() => reject(error));
    const onExit = () => done(() => reject(new Error('the usage store is closed')));
    const done = (settle: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settle();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(message);
  });
}
