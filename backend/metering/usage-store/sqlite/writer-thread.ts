import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { OwnershipLost } from '../../../platform/db/commit-ledger.ts';
import { openSqlite } from '../../../platform/db/sqlite.ts';
import { endSession, serveSessions } from '../../../platform/thread-sessions.ts';
import { type AppendRequest, type EventWriter, type EventWriterOptions, openEventWriter } from './event-writer.ts';
import { startIdleUpkeep } from './idle-upkeep.ts';
import type { FromWriter, ToWriter } from './thread-messages.ts';
import { prepareUpkeep } from './upkeep.ts';

/** A transaction that is too long makes all its clients wait, and the log grow past what a checkpoint likes. */
const MAX_EVENTS_PER_TRANSACTION = 5000;
/** The same for events with much in them; of one request all go together. */
const MAX_CHARACTERS_PER_TRANSACTION = 1_048_576;

type Append = AppendRequest & { id: number };
type Answer = (message: FromWriter) => void;

/**
 * The thread that owns the write connection. Requests that arrive while a transaction waits for the disk share the next
 * one: many clients with single events cost as few syncs as one client with batches.
 */
serveSessions(({ path, options }: { path: string; options: EventWriterOptions }, port) => {
  const db = openSqlite(path);
  const writer = openEventWriter(db, options);
  const readUpkeep = prepareUpkeep(db);
  const answer: Answer = (message) => port.postMessage(message);
  const upkeep = startIdleUpkeep(writer, (error) => answer({ kind: 'trouble', reason: describe(error) }));
  const commits = createCommits(writer, answer);

  /** What is asked is answered, whatever becomes of it. */
  const reply = (id: number, make: () => FromWriter): void => {
    try {
      answer(make());
    } catch (error) {
      answer({ kind: 'failed', ids: [id], reason: describe(error), code: codeOf(error) });
    }
  };
  /** Changes what is kept of events; what follows from it is done bit by bit. */
  const change = (id: number, make: () => unknown): void =>
    reply(id, () => {
      const done: FromWriter = { kind: 'done', id, result: make() };
      upkeep.startBackFill();
      return done;
    });
  const stop = (): void => {
    upkeep.stop();
    commits.commitAll();
    writer.close();
    db.close();
    answer({ kind: 'stopped' });
    endSession(port);
  };
  const take = (message: ToWriter): void => {
    const { kind } = message;
    if (kind === 'append') commits.add(message);
    else if (kind === 'find') {
      const { id, eventIds } = message;
      reply(id, () => ({ kind: 'found', id, rowIds: eventIds.flatMap((eventId) => writer.findById(eventId)) }));
    } else if (kind === 'sync') change(message.id, () => writer.syncMeters(message.meters));
    else if (kind === 'expire') change(message.id, () => writer.expire(message.beforeMs));
    else if (kind === 'upkeep') reply(message.id, () => ({ kind: 'done', id: message.id, result: readUpkeep() }));
    else if (kind === 'correct') change(message.id, () => writer.correct(message.slice));
    else stop();
  };
  serve(port, commits, take, upkeep.delay);
  upkeep.startBackFill();
});

/** Stores what waits, with what has arrived in the meantime, until nothing is left. */
function serve(port: MessagePort, commits: Commits, take: (message: ToWriter) => void, onCommitted: () => void): void {
  let isScheduled = false;
  const commit = (): void => {
    isScheduled = false;
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as ToWriter);
    }
    commits.commitAll();
    onCommitted();
  };
  port.on('message', (message: ToWriter) => {
    take(message);
    if (isScheduled || commits.areDone()) return;
    isScheduled = true;
    // After the messages that are already there.
    setImmediate(commit);
  });
}

/** Requests that wait for a transaction. */
interface Commits {
  add(request: Append): void;
  areDone(): boolean;
  commitAll(): void;
}

function createCommits(writer: EventWriter, answer: Answer): Commits {
  let waiting: Append[] = [];
  const commitSome = (): void => {
    const length = lengthOfGroup(waiting);
    const group = waiting.slice(0, length);
    waiting = waiting.slice(length);
    const ids = group.map(({ id }) => id);
    const beganAtMs = performance.now();
    try {
      const results = writer.append(group);
      answer({ kind: 'stored', ids, results, tookMs: performance.now() - beganAtMs });
    } catch (error) {
      answer({ kind: 'failed', ids, reason: describe(error), code: codeOf(error) });
    }
  };
  return {
    add: (request) => waiting.push(request),
    areDone: () => waiting.length === 0,
    commitAll: () => {
      while (waiting.length > 0) commitSome();
    },
  };
}

/** How many of the first requests go together. */
function lengthOfGroup(requests: readonly Append[]): number {
  let length = 0;
  let events = 0;
  let characters = 0;
  for (const request of requests) {
    if (events >= MAX_EVENTS_PER_TRANSACTION || characters >= MAX_CHARACTERS_PER_TRANSACTION) break;
    for (const { data } of request.events) {
      events++;
      characters += data?.length ?? 0;
    }
    length++;
  }
  return length;
}

/** @throws what ends this thread, and with it the process: there is no going on without owning the file */
function describe(error: unknown): string {
  if (error instanceof OwnershipLost) throw error;
  return error instanceof Error ? error.message : String(error);
}

/** What SQLite calls it: a full disk is answered otherwise than a fault. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;
