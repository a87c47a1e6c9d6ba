import { RequestProblem } from '../../../platform/errors.ts';
import type { Threads } from '../../../platform/threads.ts';
import type { AppendResult, Expiry, MeterSpec } from '../types.ts';
import type { UsageUpkeep, UsageWatch } from '../watch-types.ts';
import type { CorrectionSlice } from './corrections/correction-writer.ts';
import type { AppendRequest, EventWriterOptions } from './event-writer.ts';
import type { FromWriter, ToWriter } from './thread-messages.ts';

/** The writer's thread, as the rest of the store talks to it. */
export interface WriterClient {
  /** @throws RequestProblem 503 when the queue is full: nothing of the request was taken */
  append(request: AppendRequest): Promise<AppendResult>;
  findByIds(eventIds: readonly string[]): Promise<readonly number[]>;
  syncMeters(meters: readonly MeterSpec[]): Promise<void>;
  /** Removes some old events. */
  expire(beforeMs: number): Promise<Expiry>;
  /** Changes the events of a slice: on disk when it resolves. */
  correct(slice: CorrectionSlice): Promise<void>;
  upkeep(): Promise<UsageUpkeep>;
  /** Events handed over and not on disk. */
  queuedEvents(): number;
  /** Rejects when the thread has ended. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface WriterClientOptions extends EventWriterOptions {
  /** Events handed over and not yet on disk; more are refused. */
  maxQueuedEvents: number;
  heapMb?: number | undefined;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
  events: number;
}

const RETRY_AFTER_SECONDS = 1;

/** Who is told what happens without being asked for. */
export interface WriterEvents {
  /** Upkeep has failed that no request waits for. */
  onTrouble?: ((reason: string) => void) | undefined;
  /** A transaction of events is on disk. */
  onCommit?: UsageWatch['onCommit'];
  /** The thread has ended, and was not told to. */
  onDeath?: ((error: Error) => void) | undefined;
}

/** Starts the thread; rejects when it cannot open the database. */
export async function startWriter(
  path: string,
  threads: Threads,
  options: WriterClientOptions,
  { onTrouble, onCommit, onDeath }: WriterEvents,
): Promise<WriterClient> {
  const { heapMb } = options;
  const limits = { ...(heapMb !== undefined && { maxOldGenerationSizeMb: heapMb }) };
  const thread = threads.open(new URL('./writer-thread.ts', import.meta.url), { path, options }, limits);
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let queuedEvents = 0;
  let ended: Error | undefined;
  let isOpen = false;
  let isClosing = false;
  const stopped = Promise.withResolvers<void>();

  const settle = (id: number, how: (entry: Waiting) => void): void => {
    const entry = waiting.get(id);
    if (entry === undefined) return;
    waiting.delete(id);
    queuedEvents -= entry.events;
    how(entry);
  };
  const end = (reason: Error): void => {
    const isFirst = ended === undefined;
    ended ??= reason;
    for (const id of [...waiting.keys()]) settle(id, (entry) => entry.reject(reason));
    stopped.resolve();
    // One that could not begin is told by the rejection.
    if (isFirst && isOpen && !isClosing) onDeath?.(reason);
  };
  thread.on('message', (message: FromWriter) => {
    if (message.kind === 'stored') {
      const events = message.ids.reduce((sum, id) => sum + (waiting.get(id)?.events ?? 0), 0);
      onCommit?.({ events, tookMs: message.tookMs });
      for (const [index, id] of message.ids.entries())
        settle(id, (entry) => entry.resolve(message.results[index] as never));
    } else if (message.kind === 'found') settle(message.id, (entry) => entry.resolve(message.rowIds as never));
    else if (message.kind === 'done') settle(message.id, (entry) => entry.resolve(message.result as never));
    else if (message.kind === 'failed') {
      for (const id of message.ids) settle(id, (entry) => entry.reject(failure(message)));
    } else if (message.kind === 'trouble') onTrouble?.(message.reason);
    else stopped.resolve();
  });
  thread.on('error', end);
  thread.on('exit', () => end(new Error('the thread that writes usage has ended')));

  const ask = <T>(message: (id: number) => ToWriter, events: number): Promise<T> =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(ended);
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as (value: never) => void, reject, events });
      queuedEvents += events;
      thread.postMessage(message(id));
    });
  const findByIds = (eventIds: readonly string[]) =>
    ask<readonly number[]>((id) => ({ kind: 'find', id, eventIds }), 0);
  // The first answer means that the database is open.
  await findByIds(['']);
  isOpen = true;

  return {
    findByIds,
    append: async (request) => {
      // One request alone is always taken, however large: nobody could ever send it otherwise.
      if (queuedEvents > 0 && queuedEvents + request.events.length > options.maxQueuedEvents) {
        throw new RequestProblem('unavailable', 'The ingest queue is full; nothing was stored. Try again.', [], {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
      return ask((id) => ({ kind: 'append', id, ...request }), request.events.length);
    },
    correct: (slice) => ask((id) => ({ kind: 'correct', id, slice }), 0),
    expire: (beforeMs) => ask((id) => ({ kind: 'expire', id, beforeMs }), 0),
    upkeep: () => ask((id) => ({ kind: 'upkeep', id }), 0),
    queuedEvents: () => queuedEvents,
    syncMeters: (meters) => ask((id) => ({ kind: 'sync', id, meters }), 0),
    check: async () => {
      await findByIds(['']);
    },
    close: async () => {
      isClosing = true;
      if (ended === undefined) thread.postMessage({ kind: 'stop' } satisfies ToWriter);
      await stopped.promise;
      await thread.release();
    },
  };
}

function failure({ reason, code }: Extract<FromWriter, { kind: 'failed' }>): Error {
  return Object.assign(new Error(reason), code !== undefined && { code });
}
