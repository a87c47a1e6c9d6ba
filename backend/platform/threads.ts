/**
 * Threads of ours, each at work for one session after another: what opened it tells it what the session is about, both talk
 * through a port of the session's own, and when the thread has closed that, it could be given the next. Starting a thread
 * costs some 50 ms of a processor (a runtime, and all that its program imports), a session next to nothing.
 */
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads';

/** What a thread is told to begin a session. */
export interface SessionStart {
  data: unknown;
  port: MessagePort;
}

/** The last message of a session. */
export const SESSION_ENDS: null = null;

interface SessionEvents {
  message: [never];
  /** The thread has died of this. */
  error: [Error];
  /** Nothing comes any more: the session has ended, or its thread. Comes once. */
  exit: [];
}

/** One session of a thread, from the side of whoever opened it. */
export interface ThreadSession extends EventEmitter<SessionEvents> {
  postMessage(message: unknown): void;
  /** Waits for the end of the session, which it has been told about in its own words, and lets go of the thread. */
  release(): Promise<void>;
}

/** Where threads come from. */
export interface Threads {
  /** @param script begins with `serveSessions` */
  open(script: URL, data: unknown, limits?: ResourceLimits): ThreadSession;
}

/** @param keptIdle threads that are kept for a next session; without any, each session has a thread that ends with it */
export function createThreads({ keptIdle = 0 }: { keptIdle?: number } = {}): Threads {
  const idle: { kind: string; worker: Worker }[] = [];
  const forget = (worker: Worker): void => {
    const index = idle.findIndex((entry) => entry.worker === worker);
    if (index >= 0) idle.splice(index, 1);
  };
  const take = (kind: string, script: URL, limits: ResourceLimits): Worker => {
    const kept = idle.find((entry) => entry.kind === kind)?.worker;
    if (kept === undefined) return new Worker(script, { resourceLimits: limits });
    forget(kept);
    kept.removeAllListeners();
    kept.ref();
    return kept;
  };
  const letGo = async (kind: string, worker: Worker): Promise<void> => {
    if (idle.length >= keptIdle) {
      await worker.terminate();
      return;
    }
    worker.unref();
    // An idle one has nobody to tell, and must not end the process.
    worker.removeAllListeners().on('error', () => forget(worker));
    worker.on('exit', () => forget(worker));
    idle.push({ kind, worker });
  };
  return {
    open(script, data, limits = {}) {
      const kind = JSON.stringify([script.href, limits]);
      const worker = take(kind, script, limits);
      return openSession(worker, data, () => letGo(kind, worker));
    },
  };
}

function openSession(worker: Worker, data: unknown, letGo: () => Promise<void>): ThreadSession {
  const { port1: port, port2 } = new MessageChannel();
  const ended = Promise.withResolvers<void>();
  let isThreadThere = true;
  const session = Object.assign(new EventEmitter<SessionEvents>(), {
    postMessage: (message: unknown) => port.postMessage(message),
    release: async () => {
      await ended.promise;
      if (isThreadThere) await letGo();
    },
  });
  const end = (): void => {
    worker.off('exit', died);
    port.close();
    ended.resolve();
    session.emit('exit');
  };
  const died = (): void => {
    isThreadThere = false;
    end();
  };
  worker.on('error', (error) => session.emit('error', error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', died);
  // That a port closes tells nothing: it also does when its thread dies, which is told by the thread's own events.
  port.on('message', (message) => (message === SESSION_ENDS ? end() : session.emit('message', message as never)));
  worker.postMessage({ data, port: port2 } satisfies SessionStart, [port2]);
  return session;
}
