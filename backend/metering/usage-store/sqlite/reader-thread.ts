import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openSqliteReader } from '../../../platform/db/sqlite.ts';
import { breakdownOf } from '../answering/breakdown.ts';
import { isRefusedQuery, type QueryLimits } from '../answering/query-limits.ts';
import { pageOf } from '../answering/usage-page.ts';
import type { GroupedQuery, QueryAnswer } from '../answering/usage-rows.ts';
import type { UsageQuery, UsageRow } from '../types.ts';
import {
  correctedEvents,
  findCorrection,
  listCorrections,
  previewCorrection,
  selectSlice,
} from './corrections/correction-reader.ts';
import { dimensionValues } from './dimension-values.ts';
import { readDuplicates } from './duplicates.ts';
import { listEvents } from './event-list.ts';
import { listProcesses } from './gateway-ledger.ts';
import { listRequests } from './gateway-requests.ts';
import { answerPiece } from './query-pieces.ts';
import { seriesProgress } from './rollup/progress.ts';
import { openRollupReader } from './rollup/read.ts';
import { verifyRollups } from './rollup/verify.ts';
import { subjectsSeen, typesSeen } from './seen/subjects-seen.ts';
import type { ReaderAnswer, ReaderOptions, ReaderRequest, ToReader } from './thread-messages.ts';
import { eventsBehind } from './tracing/events-behind.ts';
import { lateEvents } from './tracing/late-events.ts';
import { currentSnapshot } from './tracing/moment.ts';
import { queryUsage } from './usage-query.ts';

/** Rows that are handed over at a time: some 5 ms of whoever receives them. */
const ROWS_OF_PART = 2000;
const CHARACTERS_OF_PART = 1_048_576;
/** A third of what ingest gets where both want the processor, and all of it where ingest does not: limits are asked too. */
const READER_NICENESS = 5;

/** A thread that reads: a heavy query holds up neither the writer nor the event loop, and sees one moment of the data. */
const port = parentPort as MessagePort;
const { path, maxRows, maxCharacters } = workerData as ReaderOptions;
yieldToIngest();
const db = openSqliteReader(path);
const rollups = openRollupReader(db);
const totals = db.prepare('SELECT stored, duplicates FROM store');

function run(request: ReaderRequest, limits: QueryLimits): unknown {
  const { isCancelled } = limits;
  switch (request.kind) {
    case 'list':
      return listEvents(db, request.query, isCancelled);
    case 'query':
      return { ...answerQuery(request.query, limits), snapshot: currentSnapshot(db) };
    case 'breakdown':
      return answerAll(breakdownOf(request.query), (query) => answerQuery(query, limits));
    case 'usagePage':
      return pageOf(answerQuery(request.query, limits), request.query);
    case 'queries': {
      const answer = (query: UsageQuery) => answerQuery(query, limits);
      return { ...answerPiece(request.queries, answer, () => performance.now()), snapshot: currentSnapshot(db) };
    }
    case 'totals':
      return totals.get();
    case 'progress':
      return seriesProgress(db, request.meter);
    case 'verify':
      return verifyRollups(db);
    case 'processes':
      return listProcesses(db, request.page);
    case 'gatewayRequests':
      return listRequests(db, request.page);
    case 'select':
      return selectSlice(db, request.query, request.page);
    case 'preview':
      return previewCorrection(db, request.query, request.sampleSize, isCancelled);
    case 'correction':
      return findCorrection(db, request.id);
    case 'corrections':
      return listCorrections(db, request.page);
    case 'correctedEvents':
      return correctedEvents(db, request.id, request.page);
    case 'subjectsSeen':
      return subjectsSeen(db, request.query, isCancelled);
    case 'typesSeen':
      return typesSeen(db, request.subject);
    case 'dimensionValues':
      return dimensionValues(db, rollups, request.query, limits);
    case 'duplicates':
      return readDuplicates(db, request.rowIds);
    case 'eventsBehind':
      return eventsBehind(db, request.scope, request.page, request.moment, isCancelled);
    case 'lateEvents':
      return lateEvents(db, request.scope, request.since, request.page, isCancelled);
  }
}

function answerQuery(query: GroupedQuery, limits: QueryLimits): QueryAnswer {
  return rollups.query(query, limits) ?? queryUsage(db, query, limits);
}

/** Answers what a reading asks for, one query after the other. */
function answerAll<T>(
  reading: Generator<GroupedQuery, T, QueryAnswer>,
  answer: (query: GroupedQuery) => QueryAnswer,
): T {
  let step = reading.next();
  while (step.done !== true) {
    let answered: QueryAnswer | undefined;
    try {
      answered = answer(step.value);
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    step = reading.next(answered);
  }
  return step.value;
}

/** Rows of an answer that have not been asked for yet. */
let waiting: unknown[] = [];

/** Cuts a long answer: reading all of it at once would hold up the event loop, and with it every other request. */
function firstPart(result: unknown): unknown {
  waiting = [];
  if (typeof result !== 'object' || result === null || !('rows' in result) || !Array.isArray(result.rows))
    return result;
  waiting = result.rows.slice();
  return { ...result, rows: nextPart() };
}

function nextPart(): unknown[] {
  let count = 0;
  for (let characters = 0; count < Math.min(waiting.length, ROWS_OF_PART) && characters < CHARACTERS_OF_PART; count++) {
    characters += charactersOf(waiting[count]);
  }
  return waiting.splice(0, count);
}

/** Of what a row is named by, where it is one of usage. */
function charactersOf(row: unknown): number {
  const { dimensions } = row as Partial<UsageRow>;
  if (dimensions === undefined) return 0;
  return Object.entries(dimensions).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

/** Of a query's work the least urgent is what nobody but its client waits for. */
function yieldToIngest(): void {
  try {
    // Of this thread alone: Linux keeps a priority for each.
    setPriority(0, READER_NICENESS);
  } catch {
    // A system that does not let us: queries then compete with ingest.
  }
}

port.on('message', (message: ToReader) => {
  if (message === 'stop') {
    db.close();
    return port.close();
  }
  if (message === 'more') {
    const part = nextPart();
    return port.postMessage({ result: part, waitingRows: waiting.length } satisfies ReaderAnswer);
  }
  const { request, cancelled } = message;
  let answer: ReaderAnswer;
  try {
    const limits = { isCancelled: () => Atomics.load(cancelled, 0) === 1, maxRows, maxCharacters };
    // One snapshot for all statements of a request.
    const result = firstPart(db.transaction(() => run(request, limits)).deferred());
    answer = { result, waitingRows: waiting.length };
  } catch (error) {
    const isRefused = isRefusedQuery(error);
    answer = { reason: error instanceof Error ? error.message : String(error), isRefused };
  }
  port.postMessage(answer);
});
