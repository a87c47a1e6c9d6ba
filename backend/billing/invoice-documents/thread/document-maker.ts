/** Documents on a thread of their own: bounded in number, memory and time, and none can end the process. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { RequestProblem } from '../../../platform/errors.ts';
import type { Logger } from '../../../platform/log.ts';
import { isOutOfMemory } from '../../../platform/out-of-memory.ts';
import type { InvoiceLine } from '../../invoice-records/index.ts';
import type { DocumentRequest, DocumentThreadData, FromDocumentThread, ToDocumentThread } from './messages.ts';

/** What a document is made of, read when its turn has come: those that wait take no memory. */
export type ReadDocument = () => Promise<DocumentRequest & { lines: readonly InvoiceLine[] }>;

export interface DocumentMaker {
  /**
   * @param signal aborted when the client has gone: it then waits no longer
   * @throws RequestProblem 503 when too many wait, or this one takes too long; 400 when it needs too much memory; what
   *   `read` throws
   */
  make(read: ReadDocument, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface DocumentLimits {
  /** How many may wait while one is made; a page of the console asks for one. */
  maxWaiting: number;
  /** For one document: 20,000 lines take some seconds. */
  timeLimitMs: number;
  /** Of the thread: 20,000 lines need some 200 MB. Fonts stand beside it, and are bounded by what is installed. */
  maxHeapMb: number;
  /** After this the thread ends and gives its memory back; a new one takes a tenth of a second. */
  idleMs: number;
}

const LIMITS: DocumentLimits = { maxWaiting: 16, timeLimitMs: 60_000, maxHeapMb: 384, idleMs: 60_000 };
/** Handed over in some milliseconds. */
const LINES_OF_SLICE = 500;
/** Each character is warned of once; nobody reads of more. */
const MAX_WARNED = 1000;

export function createDocumentMaker(
  { log, fontsDir }: { log: Pick<Logger, 'warn'>; fontsDir: string | undefined },
  limits: DocumentLimits = LIMITS,
): DocumentMaker {
  const queue = new PQueue({ concurrency: 1 });
  const warned = new Set<number>();
  let thread: DocumentThread | undefined;
  const warn = (missing: readonly number[]) => {
    const unknown = missing.filter((codePoint) => !warned.has(codePoint)).slice(0, MAX_WARNED - warned.size);
    for (const codePoint of unknown) warned.add(codePoint);
    if (unknown.length === 0) return;
    const codePoints = unknown.map((codePoint) => `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`);
    log.warn({ codePoints }, 'no font has these characters: documents print their numbers instead');
  };
  const one = async (read: ReadDocument) => {
    const { lines, ...request } = await read();
    if (thread === undefined || thread.hasEnded()) thread = startThread({ fontsDir }, limits);
    const { bytes, missing } = await thread.make(request, lines);
    warn(missing);
    return bytes;
  };
  return {
    make: async (read, signal) => {
      if (queue.size >= limits.maxWaiting) {
        const reason = 'Too many documents are being made. Try again.';
        throw new RequestProblem('unavailable', reason, [], { retryAfterSeconds: 5 });
      }
      return queue.add(() => one(read), signal && { signal });
    },
  };
}

interface DocumentThread {
  hasEnded(): boolean;
  make(request: DocumentRequest, lines: readonly InvoiceLine[]): Promise<Extract<FromDocumentThread, { kind: 'made' }>>;
}

function startThread(
  workerData: DocumentThreadData,
  { timeLimitMs, maxHeapMb, idleMs }: DocumentLimits,
): DocumentThread {
  const resourceLimits = { maxOldGenerationSizeMb: maxHeapMb };
  const worker = new Worker(new URL('./document-thread.ts', import.meta.url), { workerData, resourceLimits });
  let hasEnded = false;
  let onEnd: (error: Error) => void = () => undefined;
  let idle: NodeJS.Timeout | undefined;
  const end = (error: Error) => {
    hasEnded = true;
    onEnd(error);
  };
  // The document that it was for has failed, and the next begins with a new thread.
  worker.on('error', (error) => end(isOutOfMemory(error) ? needsTooMuch(maxHeapMb) : error));
  worker.on('exit', () => end(new Error('the thread that makes documents has ended')));
  const tell = (message: ToDocumentThread) => worker.postMessage(message);
  return {
    hasEnded: () => hasEnded,
    make: async (request, lines) => {
      clearTimeout(idle);
      worker.ref();
      const answer = Promise.withResolvers<FromDocumentThread>();
      // It may fail while the lines are handed over and nobody waits for it yet; then it is waited for all the same.
      answer.promise.catch(() => undefined);
      onEnd = answer.reject;
      const onAnswer = (message: FromDocumentThread) => answer.resolve(message);
      worker.once('message', onAnswer);
      const timer = setTimeout(() => {
        const reason = `The document is not ready after ${timeLimitMs / 1000} s. Try again when less is going on.`;
        end(new RequestProblem('unavailable', reason, [], { retryAfterSeconds: 30 }));
        void worker.terminate();
      }, timeLimitMs);
      try {
        tell({ kind: 'begin', request });
        for (let start = 0; start < lines.length && !hasEnded; start += LINES_OF_SLICE) {
          tell({ kind: 'lines', lines: lines.slice(start, start + LINES_OF_SLICE) });
          await nextTurn();
        }
        tell({ kind: 'make' });
        const message = await answer.promise;
        if (message.kind === 'failed') throw message.error;
        return message;
      } finally {
        clearTimeout(timer);
        worker.off('message', onAnswer);
        onEnd = () => undefined;
        // A process whose work is done is not kept by a thread that waits for some.
        worker.unref();
        idle = setTimeout(() => {
          hasEnded = true;
          void worker.terminate();
        }, idleMs).unref();
      }
    },
  };
}

/** Asked for again it would need as much. */
function needsTooMuch(maxHeapMb: number): RequestProblem {
  const detail =
    `The document needs more than the ${maxHeapMb} MB of memory that one may have. The invoice without a document has all ` +
    'of its lines.';
  return new RequestProblem('bad-request', detail);
}
