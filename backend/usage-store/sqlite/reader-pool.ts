import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { RequestProblem } from '../../platform/errors.ts';
import type { ReaderAnswer, ReaderOptions, ReaderRequest, ToReader } from './thread-messages.ts';

/** Threads that read, each one request at a time. */
export interface ReaderPool {
  /** @param signal aborted when nobody waits for the answer any more: the query ends early */
  ask<T>(request: ReaderRequest, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** @param threads how many queries run at the same time; more wait */
export function startReaders(options: ReaderOptions, threads: number): ReaderPool {
  const start = () => new Worker(new URL('./reader-thread.ts', import.meta.url), { workerData: options });
  // Each when it is needed: the first by the first query, the others when queries really overlap. One that has ended (out
  // of memory) is replaced by the next query.
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const idleWorker = (): Worker => {
    let worker = idle.pop();
    while (worker !== undefined && !workers.has(worker)) worker = idle.pop();
    if (worker !== undefined) return worker;
    const started = start();
    workers.add(started);
    // Its error is told to whoever waits for it; an idle one has nobody, and must not end the process.
    started.on('error', () => workers.delete(started)).on('exit', () => workers.delete(started));
    return started;
  };
  const queue = new PQueue({ concurrency: threads });
  let isClosed = false;

  async function run<T>(request: ReaderRequest, signal: AbortSignal | undefined): Promise<T> {
    if (isClosed) throw new Error('the usage store is closed');
    signal?.throwIfAborted();
    const worker = idleWorker();
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
      idle.push(worker);
    }
  }

  return {
    ask: (request, signal) => queue.add(() => run(request, signal)),
    close: async () => {
      isClosed = true;
      await queue.onIdle();
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
