import type { Clock } from '../../../platform/clock.ts';
import { claimLedger, type LedgerClaim } from '../../../platform/db/commit-ledger.ts';
import { markPathOf } from '../../../platform/db/commit-mark.ts';
import { migrateSqlite } from '../../../platform/db/migrate.ts';
import { openSqlite, openSqliteReader } from '../../../platform/db/sqlite.ts';
import { createThreads, type Threads } from '../../../platform/threads.ts';
import type { AnswerOrigin, VerifyResult } from '../types.ts';
import type { UsageStore } from '../usage-store.ts';
import type { UsageWatch } from '../watch-types.ts';
import { createCorrectionJobs } from './corrections/correction-jobs.ts';
import { unfinishedCorrections } from './corrections/correction-reader.ts';
import { questionsTo } from './questions.ts';
import { startReaders } from './reader-pool.ts';
import { DEFAULT_ROLLUP_OPTIONS, type RollupOptions } from './rollup/rollup-writer.ts';
import { verifyRollups } from './rollup/verify.ts';
import { MIGRATIONS } from './upkeep.ts';
import { startWriter } from './writer-client.ts';

/** What bounds the store's memory and threads. */
export interface SqliteUsageStoreOptions {
  /** Queries that run at the same time. */
  readerThreads?: number;
  /** Queries that wait for a thread; more are refused with 503. */
  maxWaitingQueries?: number;
  /** A query that a client waits for ends after so long. */
  queryTimeoutMs?: number;
  /** Rows of a query's answer; what would have more is refused. Each takes some kilobytes while it is gathered. */
  maxResultRows?: number;
  /** Characters of their names, of which a reader holds some copies while it answers. */
  maxResultCharacters?: number;
  /**
   * Heap of each thread that reads. The longest answer takes some 200 MB while it is gathered and sorted; two of them at once,
   * and all else, stay within 1 GiB. What a query counts apart (distinct values) is bounded by this alone.
   */
  readerHeapMb?: number;
  /** Events that wait for the disk; more are refused with 503. 100,000 of a gateway's are some 50 MB. */
  maxQueuedEvents?: number;
  /** Hashes of young events in memory: some 30 bytes each. */
  dedupeMemTableEntries?: number;
  rollups?: Partial<RollupOptions>;
  /** Events that a correction changes in one transaction. */
  correctionSliceEvents?: number;
  /** Told why upkeep has failed that no request waits for: folding, back-filling, computing anew. It is tried again. */
  onTrouble?: (reason: string) => void;
  /** Told how each query was answered. */
  onAnswer?: (origin: AnswerOrigin) => void;
  watch?: UsageWatch;
  /** Heap of the thread that writes; undefined: that of the process. */
  writerHeapMb?: number | undefined;
  /** How a backend owns the file. Without it nothing is fenced: for what has the file for itself, such as a test. */
  ownership?: UsageOwnership | undefined;
  /** Told that the thread that writes has ended though nobody closed the store: nothing can be stored any more. */
  onDeath?: (error: Error) => void;
  /** Where its threads come from; default: they begin and end with the store. */
  threads?: Threads;
}

export interface UsageOwnership {
  dataId: string;
  epoch: number;
  /** Holds the number of commits, for whoever writes it down elsewhere. */
  commits: SharedArrayBuffer;
}

/** The table with the file's ledger row. */
export const USAGE_LEDGER = 'store';

/**
 * Usage in one SQLite file of its own: a thread that writes, threads that read.
 * @param path the database file; it and its folder are made when missing
 */
export async function openSqliteUsageStore(
  path: string,
  clock: Clock,
  options: SqliteUsageStoreOptions = {},
): Promise<UsageStore> {
  const { readerThreads = 2, maxResultRows = 100_000, maxResultCharacters = 33_554_432 } = options;
  const { maxWaitingQueries = 100, queryTimeoutMs = 60_000, readerHeapMb = 256, watch = {} } = options;
  const { maxQueuedEvents = 100_000, dedupeMemTableEntries = 1_000_000 } = options;
  const { threads = createThreads() } = options;
  const rollups = { ...DEFAULT_ROLLUP_OPTIONS, ...options.rollups };
  const db = openSqlite(path);
  migrateSqlite(db, MIGRATIONS);
  const claim = options.ownership && toClaim(path, options.ownership);
  if (claim !== undefined) claimLedger(db, claim);
  // Read here: a start with nothing to go on with then needs no thread that reads.
  const unfinished = unfinishedCorrections(db);
  db.close();
  const readers = startReaders(
    { path, maxRows: maxResultRows, maxCharacters: maxResultCharacters },
    threads,
    readerThreads,
    { maxWaiting: maxWaitingQueries, timeoutMs: queryTimeoutMs, maxHeapMb: readerHeapMb },
    watch.onQuestion,
  );
  const writer = await startWriter(
    path,
    threads,
    { maxQueuedEvents, dedupeMemTableEntries, rollups, claim, heapMb: options.writerHeapMb },
    { onTrouble: options.onTrouble, onCommit: watch.onCommit, onDeath: options.onDeath },
  );
  const questions = questionsTo(readers, writer, options.onAnswer);
  const { correctionSliceEvents: sliceEvents } = options;
  const corrections = createCorrectionJobs({ readers, writer, clock, rowsOfIds: questions.rowsOfIds, sliceEvents });
  await corrections.resume(unfinished);
  return {
    append: (events, delivery) => writer.append({ events, delivery, nowMs: clock.nowMs() }),
    ...questions.asked,
    corrections,
    syncMeters: (meters) => writer.syncMeters(meters),
    expire: (beforeMs) => writer.expire(beforeMs),
    check: async () => {
      await writer.check();
      // Readers that are at work answer; waiting behind their queries would make a busy store look like a broken one.
      if (readers.running < readerThreads) await readers.ask({ kind: 'totals' });
    },
    load: () => ({
      queuedEvents: writer.queuedEvents(),
      maxQueuedEvents,
      readerThreads,
      runningQuestions: readers.running,
      waitingQuestions: readers.waiting,
      maxWaitingQuestions: maxWaitingQueries,
    }),
    upkeep: () => writer.upkeep(),
    close: async () => {
      await corrections.stop();
      // The writer last: only a connection that may write can tidy up the write-ahead log.
      await readers.close();
      await writer.close();
    },
  };
}

function toClaim(path: string, { dataId, epoch, commits }: UsageOwnership): LedgerClaim {
  return { table: USAGE_LEDGER, dataId, epoch, markPath: markPathOf(path), shared: commits };
}

/** Recomputes all figures that a store keeps ahead of time and compares; the store may be in use. */
export function verifySqliteUsage(path: string): VerifyResult {
  const db = openSqliteReader(path);
  try {
    return db.transaction(() => verifyRollups(db)).deferred();
  } finally {
    db.close();
  }
}
