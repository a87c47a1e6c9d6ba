import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { RequestProblem } from '../../platform/errors.ts';
import type { ReaderAnswer, ReaderRequest } from './thread-messages.ts';

/** Threads that read, each one request at a time. */
export interface ReaderPool {
  /** @param signal aborted when nobody waits for the answer any more: the query ends early */
  ask<T>(request: ReaderRequest, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** @param threads how many queries run at the same time; more wait */
export function startReaders(path: string, threads: number): ReaderPool {
  const start = () => new Worker(new URL('./reader-thread.ts', import.meta.url), { workerData: { path } });
  // Each when it is needed: the first by the first query, the others when queries really overlap.
  const workers: Worker[] = [];
  const idle: Worker[] = [];
  const idleWorker = (): Worker => {
    const worker = idle.pop() ?? start();
    if (!workers.includes(worker)) workers.push(worker);
    return worker;
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
      const { result, reason, isExpired = false } = await exchange(worker, { request, cancelled });
      signal?.throwIfAborted();
      if (isExpired) throw new RequestProblem('bad-request', reason ?? '');
      if (reason !== undefined) throw new Error(reason);
      return result as T;
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
      const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      for (const worker of workers) worker.postMessage('stop');
      await Promise.all(ended);
    },
  };
}

function exchange(worker: Worker, message: { request: ReaderRequest; cancelled: Int32Array }): Promise<ReaderAnswer> {
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
