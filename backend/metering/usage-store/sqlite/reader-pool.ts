import { RequestProblem } from '../../../platform/errors.ts';
import { isOutOfMemory } from '../../../platform/out-of-memory.ts';
import type { ThreadSession, Threads } from '../../../platform/threads.ts';
import { createQuestionQueue } from '../answering/question-queue.ts';
import type { QueryAnswer } from '../answering/usage-rows.ts';
import type { UsageQuery, UsageRow } from '../types.ts';
import type { UsageWatch } from '../watch-types.ts';
import { askInPieces } from './query-pieces.ts';
import type { ReaderAnswer, ReaderOptions, ReaderRequest, ToReader } from './thread-messages.ts';

/** Threads that read, each one request at a time. */
export interface ReaderPool {
  /**
   * @param signal aborted when nobody waits for the answer any more: the query ends early
   * @param onRows given the answer's rows part by part as they come, which then are not in the answer
   * @throws RequestProblem 503 when too many wait, or when it took longer than a client may ask for
   */
  ask<T>(request: ReaderRequest, signal?: AbortSignal, onRows?: OnRows): Promise<T>;
  /** Many queries of one piece of work, which waits as one question does. @throws as `ask` */
  queryAll(queries: readonly UsageQuery[], signal?: AbortSignal): Promise<(QueryAnswer & { snapshot: string })[]>;
  readonly running: number;
  readonly waiting: number;
  close(): Promise<void>;
}

/** Takes some thousand rows of an answer, within a few milliseconds. */
export type OnRows = (rows: UsageRow[]) => void;

export interface ReaderBounds {
  /** Queries that wait for a thread; more are refused. */
  maxWaiting: number;
  /** A query with a signal, which is one that a client waits for, ends after so long. */
  timeoutMs: number;
  /** Of each thread: a query that needs more is refused. */
  maxHeapMb: number;
}

/**
 * @param concurrency how many queries run at the same time; more wait
 * @param onQuestion told how each question ended
 */
export function startReaders(
  options: ReaderOptions,
  threads: Threads,
  concurrency: number,
  { maxWaiting, timeoutMs, maxHeapMb }: ReaderBounds,
  onQuestion?: UsageWatch['onQuestion'],
): ReaderPool {
  const workers = createWorkers(options, threads, maxHeapMb);
  const queue = createQuestionQueue({ concurrency, maxWaiting, timeoutMs }, onQuestion);
  let isClosed = false;

  async function run<T>(
    request: ReaderRequest,
    signal: AbortSignal | undefined,
    onRows: OnRows | undefined,
  ): Promise<T> {
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
      await takeRows(worker, answer, signal, onRows);
      return answer.result as T;
    } catch (error) {
      throw isOutOfMemory(error) ? needsTooMuch(maxHeapMb) : error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      workers.giveBack(worker);
    }
  }

  return {
    ask: (request, signal, onRows) =>
      queue.work(request.kind, signal, (ask) => ask((ended) => run(request, ended, onRows))),
    queryAll: (queries, signal) =>
      queries.length === 0
        ? Promise.resolve([])
        : queue.work('queries', signal, (ask) =>
            askInPieces(queries, (piece) => ask((ended) => run({ kind: 'queries', queries: piece }, ended, undefined))),
          ),
    get running() {
      return queue.running;
    },
    get waiting() {
      return queue.waiting;
    },
    close: async () => {
      isClosed = true;
      await queue.onIdle();
      await workers.stop();
    },
  };
}

/** Asked again it would need as much. */
function needsTooMuch(maxHeapMb: number): RequestProblem {
  const detail =
    `The query needs more than the ${maxHeapMb} MB of memory that one may have: ask for a shorter time, for longer windows, ` +
    'or for fewer dimensions to group by.';
  return new RequestProblem('bad-request', detail);
}

function createWorkers(options: ReaderOptions, threads: Threads, maxHeapMb: number) {
  const start = () =>
    threads.open(new URL('./reader-thread.ts', import.meta.url), options, { maxOldGenerationSizeMb: maxHeapMb });
  // Each when it is needed: the first by the first query, the others when queries really overlap. One that has ended (out
  // of memory) is replaced by the next query.
  const workers = new Set<ThreadSession>();
  const idle: ThreadSession[] = [];
  return {
    take: (): ThreadSession => {
      let worker = idle.pop();
      while (worker !== undefined && !workers.has(worker)) worker = idle.pop();
      if (worker !== undefined) return worker;
      const started = start();
      workers.add(started);
      // Its error is told to whoever waits for it; an idle one has nobody, and must not end the process.
      started.on('error', () => workers.delete(started)).on('exit', () => workers.delete(started));
      return started;
    },
    giveBack: (worker: ThreadSession): void => {
      idle.push(worker);
    },
    stop: async (): Promise<void> => {
      const open = [...workers];
      for (const worker of open) worker.postMessage('stop' satisfies ToReader);
      await Promise.all(open.map((worker) => worker.release()));
    },
  };
}

/** The rows beyond the first part, a part at a time: between two of them the event loop serves others. */
async function takeRows(
  worker: ThreadSession,
  { result, waitingRows }: Extract<ReaderAnswer, { waitingRows: number }>,
  signal: AbortSignal | undefined,
  onRows: OnRows | undefined,
): Promise<void> {
  const all = (result as { rows?: UsageRow[] } | undefined)?.rows;
  if (all === undefined) return;
  onRows?.(all.splice(0, onRows === undefined ? 0 : all.length));
  for (let left = waitingRows; left > 0; ) {
    const part = await exchange(worker, 'more');
    signal?.throwIfAborted();
    const rows = part.result as UsageRow[];
    if (onRows === undefined) for (const row of rows) all.push(row);
    else onRows(rows);
    left = part.waitingRows ?? 0;
  }
}

function exchange(worker: ThreadSession, message: ToReader): Promise<ReaderAnswer> {
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
