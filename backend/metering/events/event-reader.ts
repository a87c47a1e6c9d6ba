import { Worker } from 'node:worker_threads';
import { RequestProblem } from '../../platform/errors.ts';
import type { NewEvent } from '../usage-store/index.ts';
import { EventsRefused } from './errors.ts';
import { type EventBody, type Rejection, readEvents } from './read-events.ts';
import type { FromReadingThread, ToReadingThread } from './reading-thread.ts';

/** The checked events of a body. */
export interface EventsOfBody {
  acceptedCount: number;
  /** The first that were refused, and how many there are. */
  rejected: readonly Rejection[];
  rejectedCount: number;
  /** The events in pieces, each fetched when it is asked for. To be gone through once. */
  slices(): AsyncIterable<readonly NewEvent[]>;
}

/** Turns bodies into events without keeping other requests waiting. */
export interface EventReader {
  /** @throws RequestProblem 400 that names the fields */
  read(body: EventBody): Promise<EventsOfBody>;
}

/** Read in some milliseconds, whatever is in it: a batch of a gateway has 50 kB. */
const SMALL_BYTES = 131_072;

/** Reads small bodies at once, and large ones on a thread that starts with the first of them. */
export function createEventReader(): EventReader {
  let thread: ReadingThread | undefined;
  return {
    read: async (body) => {
      if (body.bytes.length <= SMALL_BYTES) {
        const { accepted, rejected, rejectedCount } = readEvents(body);
        return {
          acceptedCount: accepted.length,
          rejected,
          rejectedCount,
          slices: async function* () {
            yield accepted;
          },
        };
      }
      if (thread === undefined || thread.hasEnded()) thread = startReadingThread();
      return thread.read(body);
    },
  };
}

function errorOf(problem: Extract<FromReadingThread, { kind: 'problem' }>['problem']): Error {
  const { kind, detail, invalidParameters, events } = problem;
  if (events !== undefined) return new EventsRefused(detail, invalidParameters, events);
  return kind === undefined ? new Error(detail) : new RequestProblem(kind, detail, invalidParameters);
}

interface ReadingThread extends EventReader {
  hasEnded(): boolean;
}

interface Waiting {
  resolve(message: FromReadingThread): void;
  reject(error: Error): void;
}

function startReadingThread(): ReadingThread {
  const worker = new Worker(new URL('./reading-thread.ts', import.meta.url));
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let hasEnded = false;
  // A process whose work is done is not kept by a thread that waits for some.
  worker.unref();
  worker.on('message', (message: FromReadingThread) => {
    const entry = waiting.get(message.id);
    waiting.delete(message.id);
    if (waiting.size === 0) worker.unref();
    if (message.kind !== 'problem') return entry?.resolve(message);
    entry?.reject(errorOf(message.problem));
  });
  const end = (): void => {
    hasEnded = true;
    const reason = 'The events could not be read; nothing of this request was stored. Try again.';
    const problem = new RequestProblem('unavailable', reason, [], { retryAfterSeconds: 1 });
    for (const entry of waiting.values()) entry.reject(problem);
    waiting.clear();
  };
  // Out of memory, for one: those that wait send again, and a new thread begins with the next body.
  worker.on('error', end);
  worker.on('exit', end);
  const ask = (id: number, message: ToReadingThread): Promise<FromReadingThread> =>
    new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage(message);
    });
  return {
    hasEnded: () => hasEnded,
    read: async (body) => {
      const id = ++lastId;
      const answer = await ask(id, { kind: 'read', id, body });
      if (answer.kind !== 'read') throw new Error('a slice nobody asked for');
      const { acceptedCount, rejected, rejectedCount } = answer;
      return { acceptedCount, rejected, rejectedCount, slices: () => slicesOf(id) };
    },
  };

  async function* slicesOf(id: number): AsyncIterable<readonly NewEvent[]> {
    let isLast = false;
    try {
      while (!isLast) {
        const answer = await ask(id, { kind: 'next', id });
        if (answer.kind !== 'slice') throw new Error('a slice was asked for');
        isLast = answer.isLast;
        yield answer.events;
      }
    } finally {
      if (!isLast && !hasEnded) worker.postMessage({ kind: 'forget', id } satisfies ToReadingThread);
    }
  }
}
