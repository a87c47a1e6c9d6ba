import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { OwnershipLost } from '../../../platform/db/commit-ledger.ts';
import { openSqlite } from '../../../platform/db/sqlite.ts';
import { type AppendRequest, type EventWriterOptions, openEventWriter } from './event-writer.ts';
import type { FromWriter, ToWriter } from './thread-messages.ts';
import { prepareUpkeep } from './upkeep.ts';

/**
 * The thread that owns the write connection. Requests that arrive while a transaction waits for the disk share the next
 * one: many clients with single events cost as few syncs as one client with batches.
 */
const port = parentPort as MessagePort;
const { path, options } = workerData as { path: string; options: EventWriterOptions };
const db = openSqlite(path);
const writer = openEventWriter(db, options);
const readUpkeep = prepareUpkeep(db);

/** A transaction that is too long makes all its clients wait, and the log grow past what a checkpoint likes. */
const MAX_EVENTS_PER_TRANSACTION = 5000;
/** The same for events with much in them; of one request all go together. */
const MAX_CHARACTERS_PER_TRANSACTION = 1_048_576;

const answer = (message: FromWriter): void => port.postMessage(message);

/** @throws what ends this thread, and with it the process: there is no going on without owning the file */
function describe(error: unknown): string {
  if (error instanceof OwnershipLost) throw error;
  return error instanceof Error ? error.message : String(error);
}

let waiting: (AppendRequest & { id: number })[] = [];
let isScheduled = false;

/** What SQLite calls it: a full disk is answered otherwise than a fault. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

/** Nothing was written for this long: time to fold what has gathered, which makes queries read less. */
const IDLE_MS = 200;
let isIdle = false;
const idleTimer = setTimeout(() => {
  isIdle = true;
  foldWhileIdle();
}, IDLE_MS);
let hasFolded = false;
let isBackFilling = false;
/** What failed is hardly any better at once; a full disk may be soon. */
const RETRY_MS = 30_000;
let retryTimer: NodeJS.Timeout | undefined;
let isStopped = false;

function foldWhileIdle(): void {
  if (isStopped || !isIdle) return;
  if (attempt(writer.idleStep)) {
    hasFolded = true;
    setImmediate(foldWhileIdle);
  } else if (hasFolded) {
    hasFolded = false;
    // What could not be folded is to be computed anew.
    startBackFill();
  }
}

/** Between the transactions of requests, one step at a time. */
function backFill(): void {
  isBackFilling = !isStopped && attempt(writer.backFillStep);
  if (isBackFilling) setImmediate(backFill);
  else if (!isStopped) idleTimer.refresh();
}

/** A step that fails (the disk is full) is tried again after a while; no figure depends on it. */
function attempt(step: () => boolean): boolean {
  const failedBefore = writer.failedSteps();
  try {
    return step();
  } catch (error) {
    answer({ kind: 'trouble', reason: describe(error) });
    retryTimer ??= setTimeout(retryFailed, RETRY_MS);
    // One that is passed over from now on leaves others to do; with a full disk each would fail.
    return writer.failedSteps() > failedBefore;
  }
}

function retryFailed(): void {
  retryTimer = undefined;
  if (isStopped) return;
  writer.retryFailed();
  startBackFill();
}

function startBackFill(): void {
  if (isBackFilling) return;
  isBackFilling = true;
  setImmediate(backFill);
}

function take(message: ToWriter): void {
  if (message.kind === 'append') waiting.push(message);
  else if (message.kind === 'find') answerFind(message.id, message.eventIds);
  else if (message.kind === 'sync') change(message.id, () => writer.syncMeters(message.meters));
  else if (message.kind === 'expire') change(message.id, () => writer.expire(message.beforeMs));
  else if (message.kind === 'upkeep') answerUpkeep(message.id);
  else if (message.kind === 'correct') change(message.id, () => writer.correct(message.slice));
  else stop();
}

/** Changes what is kept of events; what follows from it is done bit by bit. */
function change(id: number, make: () => unknown): void {
  try {
    answer({ kind: 'done', id, result: make() });
    startBackFill();
  } catch (error) {
    answer({ kind: 'failed', ids: [id], reason: describe(error), code: codeOf(error) });
  }
}

function answerFind(id: number, eventIds: readonly string[]): void {
  try {
    answer({ kind: 'found', id, rowIds: eventIds.flatMap((eventId) => writer.findById(eventId)) });
  } catch (error) {
    answer({ kind: 'failed', ids: [id], reason: describe(error), code: codeOf(error) });
  }
}

function answerUpkeep(id: number): void {
  try {
    answer({ kind: 'done', id, result: readUpkeep() });
  } catch (error) {
    answer({ kind: 'failed', ids: [id], reason: describe(error), code: codeOf(error) });
  }
}

/** Stores what waits, with what has arrived in the meantime, until nothing is left. */
function commitAll(): void {
  isScheduled = false;
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    take(next.message as ToWriter);
  }
  while (waiting.length > 0) commitSome();
  if (isStopped) return;
  isIdle = false;
  idleTimer.refresh();
}

function commitSome(): void {
  let length = 0;
  let characters = 0;
  for (let events = 0; length < waiting.length; length++) {
    if (events >= MAX_EVENTS_PER_TRANSACTION || characters >= MAX_CHARACTERS_PER_TRANSACTION) break;
    for (const { data } of waiting[length]?.events ?? []) {
      events++;
      characters += data?.length ?? 0;
    }
  }
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
}

function stop(): void {
  isStopped = true;
  clearTimeout(idleTimer);
  clearTimeout(retryTimer);
  while (waiting.length > 0) commitSome();
  writer.close();
  db.close();
  answer({ kind: 'stopped' });
  port.close();
}

port.on('message', (message: ToWriter) => {
  take(message);
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  // After the messages that are already there.
  setImmediate(commitAll);
});

startBackFill();
