import { setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { openSqliteReader, type Sqlite } from '../../../platform/db/sqlite.ts';
import { endSession, serveSessions } from '../../../platform/thread-sessions.ts';
import { breakdownOf } from '../answering/breakdown.ts';
import { isRefusedQuery, type QueryLimits } from '../answering/query-limits.ts';
import { pageOf } from '../answering/usage-page.ts';
import type { GroupedQuery, QueryAnswer } from '../answering/usage-rows.ts';
import type { UsageRow } from '../types.ts';
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
import { openRollupReader, type RollupReader } from './rollup/read.ts';
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

/** One connection, and what is prepared on it. */
interface Reader {
  db: Sqlite;
  rollups: RollupReader;
  totals(): unknown;
}

function openReader(path: string): Reader {
  const db = openSqliteReader(path);
  const totals = db.prepare('SELECT stored, duplicates FROM store');
  return { db, rollups: openRollupReader(db), totals: () => totals.get() };
}

/** A thread that reads: a heavy query holds up neither the writer nor the event loop, and sees one moment of the data. */
yieldToIngest();
serveSessions(({ path, maxRows, maxCharacters }: ReaderOptions, port: MessagePort) => {
  const reader = openReader(path);
  const { db } = reader;
  const parts = createParts();
  const answer = ({ request, cancelled }: Extract<ToReader, object>): ReaderAnswer => {
    try {
      const limits = { isCancelled: () => Atomics.load(cancelled, 0) === 1, maxRows, maxCharacters };
      // One snapshot for all statements of a request.
      const result = parts.first(db.transaction(() => run(reader, request, limits)).deferred());
      return { result, waitingRows: parts.waiting() };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), isRefused: isRefusedQuery(error) };
    }
  };
  port.on('message', (message: ToReader) => {
    if (message === 'stop') {
      db.close();
      endSession(port);
    } else if (message === 'more') {
      const result = parts.next();
      port.postMessage({ result, waitingRows: parts.waiting() } satisfies ReaderAnswer);
    } else port.postMessage(answer(message));
  });
});

function run(reader: Reader, request: ReaderRequest, limits: QueryLimits): unknown {
  const { db, rollups } = reader;
  const answerQuery = (query: GroupedQuery): QueryAnswer =>
    rollups.query(query, limits) ?? queryUsage(db, query, limits);
  const { isCancelled } = limits;
  switch (request.kind) {
    case 'list':
      return listEvents(db, request.query, isCancelled);
    case 'query':
      return { ...answerQuery(request.query), snapshot: currentSnapshot(db) };
    case 'breakdown':
      return answerAll(breakdownOf(request.query), answerQuery);
    case 'usagePage':
      return pageOf(answerQuery(request.query), request.query);
    case 'queries':
      return { ...answerPiece(request.queries, answerQuery, () => performance.now()), snapshot: currentSnapshot(db) };
    case 'totals':
      return reader.totals();
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

/** Cuts a long answer: reading all of it at once would hold up the event loop, and with it every other request. */
function createParts() {
  /** Rows of the answer that have not been asked for yet. */
  let waiting: unknown[] = [];
  const next = (): unknown[] => {
    let count = 0;
    for (
      let characters = 0;
      count < Math.min(waiting.length, ROWS_OF_PART) && characters < CHARACTERS_OF_PART;
      count++
    ) {
      characters += charactersOf(waiting[count]);
    }
    return waiting.splice(0, count);
  };
  return {
    waiting: () => waiting.length,
    next,
    first: (result: unknown): unknown => {
      waiting = [];
      if (typeof result !== 'object' || result === null || !('rows' in result) || !Array.isArray(result.rows))
        return result;
      waiting = result.rows.slice();
      return { ...result, rows: next() };
    },
  };
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
