import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openSqliteReader } from '../../platform/db/sqlite.ts';
import {
  correctedEvents,
  findCorrection,
  listCorrections,
  previewCorrection,
  selectSlice,
  unfinishedCorrections,
} from './corrections/correction-reader.ts';
import { dimensionValues } from './dimension-values.ts';
import { readDuplicates } from './duplicates.ts';
import { listEvents } from './event-list.ts';
import { listProcesses } from './gateway-ledger.ts';
import { seriesProgress } from './rollup/progress.ts';
import { openRollupReader } from './rollup/read.ts';
import { verifyRollups } from './rollup/verify.ts';
import { subjectsSeen, typesSeen } from './seen/subjects-seen.ts';
import type { ReaderAnswer, ReaderRequest } from './thread-messages.ts';
import { eventsBehind } from './tracing/events-behind.ts';
import { lateEvents } from './tracing/late-events.ts';
import { currentSnapshot } from './tracing/moment.ts';
import { queryUsage } from './usage-query.ts';

/** A thread that reads: a heavy query holds up neither the writer nor the event loop, and sees one moment of the data. */
const port = parentPort as MessagePort;
const { path } = workerData as { path: string };
const db = openSqliteReader(path);
const rollups = openRollupReader(db);
const totals = db.prepare('SELECT stored, duplicates FROM store');

function run(request: ReaderRequest, isCancelled: () => boolean): unknown {
  switch (request.kind) {
    case 'list':
      return listEvents(db, request.query);
    case 'query':
      return {
        ...(rollups.query(request.query, isCancelled) ?? queryUsage(db, request.query, isCancelled)),
        snapshot: currentSnapshot(db),
      };
    case 'totals':
      return totals.get();
    case 'progress':
      return seriesProgress(db, request.meter);
    case 'verify':
      return verifyRollups(db);
    case 'processes':
      return listProcesses(db, request.page);
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
    case 'unfinishedCorrections':
      return unfinishedCorrections(db);
    case 'subjectsSeen':
      return subjectsSeen(db, request.query, isCancelled);
    case 'typesSeen':
      return typesSeen(db, request.subject);
    case 'dimensionValues':
      return dimensionValues(db, rollups, request.query, isCancelled);
    case 'duplicates':
      return readDuplicates(db, request.rowIds);
    case 'eventsBehind':
      return eventsBehind(db, request.scope, request.page, request.moment, isCancelled);
    case 'lateEvents':
      return lateEvents(db, request.scope, request.since, request.page, isCancelled);
  }
}

port.on('message', (message: { request: ReaderRequest; cancelled: Int32Array } | 'stop') => {
  if (message === 'stop') {
    db.close();
    return port.close();
  }
  const { request, cancelled } = message;
  let answer: ReaderAnswer;
  try {
    const isCancelled = () => Atomics.load(cancelled, 0) === 1;
    // One snapshot for all statements of a request.
    answer = { result: db.transaction(() => run(request, isCancelled)).deferred() };
  } catch (error) {
    const isExpired = error instanceof Error && 'isExpired' in error;
    answer = { reason: error instanceof Error ? error.message : String(error), isExpired };
  }
  port.postMessage(answer);
});
