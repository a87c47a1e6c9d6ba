import type { Clock } from '../../../platform/clock.ts';
import { RequestProblem } from '../../../platform/errors.ts';
import { breakdownOf } from '../answering/breakdown.ts';
import { isRefusedQuery, type QueryLimits } from '../answering/query-limits.ts';
import { type Ask, createQuestionQueue } from '../answering/question-queue.ts';
import { pageOf } from '../answering/usage-page.ts';
import type { GroupedQuery, QueryAnswer } from '../answering/usage-rows.ts';
import { bucketOf } from '../series/levels.ts';
import type { UsageAnswer } from '../tracing-types.ts';
import type { AnswerOrigin, AppendResult, UsageQuery } from '../types.ts';
import type { UsageStore } from '../usage-store.ts';
import type { UsageUpkeep, UsageWatch } from '../watch-types.ts';
import { backFillStep, removeStep } from './back-fill.ts';
import {
  beginCorrection,
  continueCorrection,
  correctedEvents,
  findCorrection,
  listCorrections,
  previewCorrection,
} from './corrections.ts';
import { type Database, openDatabase, type PgClient, readFor, spoil } from './database.ts';
import { readDimensionValues } from './dimension-values.ts';
import { listEvents } from './event-list.ts';
import { foldBatches, openFold, openSettling } from './fold.ts';
import { listProcesses, listRequests } from './gateway-ledger.ts';
import { openIngest } from './ingest.ts';
import { createIngestQueue } from './ingest-queue.ts';
import { startLeader } from './leader.ts';
import { migratePostgres, unknownMigrations } from './migrate.ts';
import { currentSnapshot } from './moment.ts';
import { openNames } from './names.ts';
import { openPartitions } from './partitions.ts';
import { answerQuery } from './read.ts';
import { openRebuild } from './rebuild.ts';
import { expireStep } from './retention.ts';
import { readDuplicates, subjectsSeen, typesSeen } from './seen.ts';
import { seriesProgress, syncSeries } from './series.ts';
import { eventsBehind, lateEvents } from './tracing.ts';
import { openTuples, type TupleLimits } from './tuples.ts';
import { verifyRollups } from './verify.ts';

export interface PostgresUsageStoreOptions {
  /** The schema of its tables. */
  schema?: string;
  /** Queries that run at the same time. */
  readerConnections?: number;
  /** Transactions of ingest at the same time. */
  ingestConnections?: number;
  /** Queries that wait; more are refused with 503. */
  maxWaitingQueries?: number;
  /** A query that a client waits for ends after so long. */
  queryTimeoutMs?: number;
  /** Rows of a query's answer; what would have more is refused. */
  maxResultRows?: number;
  maxResultCharacters?: number;
  /** Events that wait for the database; more are refused with 503. */
  maxQueuedEvents?: number;
  upkeep?: Partial<UpkeepSizes>;
  /** Events that a correction changes in one transaction. */
  correctionSliceEvents?: number;
  /** Told why upkeep has failed that no request waits for. It is tried again. */
  onTrouble?: (reason: string) => void;
  /** Told how each query was answered. */
  onAnswer?: (origin: AnswerOrigin) => void;
  watch?: UsageWatch;
}

interface UpkeepSizes extends TupleLimits {
  /** Events that a step folds. */
  foldEventsPerStep: number;
  /** Stored events that a step of back-filling looks at. */
  backFillEventsPerStep: number;
}

const DEFAULT_SIZES: UpkeepSizes = {
  foldEventsPerStep: 50_000,
  backFillEventsPerStep: 5000,
  maxDimensionValues: 1000,
  tupleCacheBytes: 16_777_216,
};

const STATEMENT_TIMEOUT_MS = 120_000;
const INGEST_TIMEOUT_MS = 30_000;
/** The leader's own one, a step's, and those of whoever asks for upkeep. */
const UPKEEP_CONNECTIONS = 4;
/** Names and combinations are made in transactions of their own; whoever waits for them holds no connection of this pool. */
const NAMING_CONNECTIONS = 2;

/**
 * Usage in a PostgreSQL database that any number of backends share. Each stores and answers; what is to be done beside that
 * is done by the one that holds the leader's lock.
 * @param url of the database, whose encoding must be UTF-8
 */
export async function openPostgresUsageStore(
  url: string,
  clock: Clock,
  options: PostgresUsageStoreOptions = {},
): Promise<UsageStore> {
  const { schema = 'usage', readerConnections = 4, ingestConnections = 4, watch = {} } = options;
  const { maxWaitingQueries = 100, queryTimeoutMs = 60_000, maxQueuedEvents = 100_000 } = options;
  const { maxResultRows: maxRows = 100_000, maxResultCharacters: maxCharacters = 33_554_432 } = options;
  const sizes = { ...DEFAULT_SIZES, ...options.upkeep };
  const open = (name: string, maxConnections: number, statementTimeoutMs: number): Database =>
    openDatabase({ url, schema, name: `usage ${name}`, maxConnections, statementTimeoutMs });
  const upkeepDb = open('upkeep', UPKEEP_CONNECTIONS, STATEMENT_TIMEOUT_MS);
  try {
    await migratePostgres(upkeepDb, schema);
  } catch (error) {
    await upkeepDb.close();
    throw error;
  }
  const ingestDb = open('ingest', ingestConnections, INGEST_TIMEOUT_MS);
  const readDb = open('queries', readerConnections, STATEMENT_TIMEOUT_MS);
  const namingDb = open('names', NAMING_CONNECTIONS, INGEST_TIMEOUT_MS);

  const names = openNames(namingDb);
  const tuples = openTuples(namingDb, sizes, () => bucketOf('day', clock.nowMs()));
  const partitions = openPartitions(namingDb);
  const ingest = createIngestQueue(openIngest({ db: ingestDb, names, tuples, partitions }), {
    maxQueuedEvents,
    connections: ingestConnections,
    onCommit: watch.onCommit,
  });
  const correcting = { db: upkeepDb, names, clock, sliceEvents: options.correctionSliceEvents ?? 5000 };
  const settle = openSettling(upkeepDb);
  const risingMs = () => performance.now();
  const fold = openFold(upkeepDb, sizes.foldEventsPerStep, risingMs);
  const rebuild = openRebuild(upkeepDb, tuples, risingMs);
  const leader = startLeader(
    upkeepDb,
    [
      { name: 'partitions', step: () => partitions.makeAhead(clock.nowMs()).then(() => false) },
      { name: 'corrections', step: () => continueCorrection(correcting) },
      { name: 'computing anew', step: rebuild.step },
      { name: 'back-fill', step: () => backFillStep(upkeepDb, tuples, sizes.backFillEventsPerStep) },
      { name: 'folding', step: fold },
      { name: 'settling', step: () => settle().then(() => false) },
      { name: 'sums', step: async () => (await foldBatches(upkeepDb)) > 0 },
      { name: 'removing', step: () => removeStep(upkeepDb) },
    ],
    { nowMs: risingMs, onTrouble: options.onTrouble },
  );

  const questions = createQuestionQueue(
    { concurrency: readerConnections, maxWaiting: maxWaitingQueries, timeoutMs: queryTimeoutMs },
    watch.onQuestion,
  );
  /** One moment for all statements of a question; a statement that nobody waits for any more is ended. */
  const inMoment = <T>(
    ended: AbortSignal | undefined,
    read: (client: PgClient, limits: QueryLimits) => Promise<T>,
  ): Promise<T> => {
    ended?.throwIfAborted();
    return readDb.transaction('REPEATABLE READ READ ONLY', async (client) => {
      const cancelling = endWhenAborted(client, ended, upkeepDb);
      readFor(client, ended);
      try {
        const answer = await read(client, { isCancelled: () => ended?.aborted === true, maxRows, maxCharacters });
        ended?.throwIfAborted();
        return answer;
      } catch (error) {
        ended?.throwIfAborted();
        throw isRefusedQuery(error) ? new RequestProblem('bad-request', error.message) : error;
      } finally {
        await cancelling.done();
      }
    });
  };
  const ask = <T>(
    kind: string,
    signal: AbortSignal | undefined,
    read: (client: PgClient, limits: QueryLimits) => Promise<T>,
  ): Promise<T> => questions.work(kind, signal, (run) => run((ended) => inMoment(ended, read)));
  const deps = { names, tuples };
  const told = <T extends { origin: AnswerOrigin }>(answer: T): T => {
    options.onAnswer?.(answer.origin);
    return answer;
  };
  const queryWithSnapshot = async (query: UsageQuery, signal?: AbortSignal): Promise<UsageAnswer> => {
    const { answer, snapshot } = await ask('query', signal, async (client, limits) => ({
      answer: await answerQuery(client, deps, query, limits),
      snapshot: await currentSnapshot(client),
    }));
    return { rows: told(answer).rows, snapshot };
  };
  const totals = async (client: PgClient): Promise<AppendResult> => {
    const { rows } = await client.query<AppendResult>(
      `SELECT (stored + (SELECT coalesce(sum(b.stored), 0) FROM batches AS b))::bigint AS stored,
         (duplicates + (SELECT coalesce(sum(b.duplicates), 0) FROM batches AS b))::bigint AS duplicates FROM store`,
    );
    return rows[0] as AppendResult;
  };

  return {
    append: async (events, delivery) => ingest.append({ events, delivery, nowMs: clock.nowMs() }),
    totals: () => ask('totals', undefined, totals),
    list: (query, signal) => ask('list', signal, (client) => listEvents(client, names, query)),
    queryWithSnapshot,
    query: async (query, signal) =>
      told(await ask('query', signal, (client, limits) => answerQuery(client, deps, query, limits))).rows,
    async queryInParts(query, onRows, signal) {
      const { rows } = await queryWithSnapshot(query, signal);
      for (const part of partsOf(rows)) onRows(part);
    },
    async breakdown(query, signal) {
      const answered = await ask('breakdown', signal, (client, limits) =>
        answerAll(breakdownOf(query), (part) => answerQuery(client, deps, part, limits)),
      );
      return told(answered).breakdown;
    },
    async usagePage(query, signal) {
      const { rows, total } = told(
        await ask('usagePage', signal, async (client, limits) =>
          pageOf(await answerQuery(client, deps, query, limits), query),
        ),
      );
      return { rows, total };
    },
    async queryAll(queries, signal) {
      if (queries.length === 0) return [];
      return questions.work('queries', signal, (run) =>
        answerInPieces(queries, run, (ended, some) =>
          inMoment(ended, (client, limits) =>
            answerSome(client, some, (query) => answerQuery(client, deps, query, limits).then(told)),
          ),
        ),
      );
    },
    corrections: {
      preview: (action, selection, sampleSize, signal) =>
        ask('preview', signal, (client) => previewCorrection(client, names, action, selection, sampleSize)),
      async correct(request) {
        await beginCorrection(correcting, request);
        leader.wake();
        return (await ask('correction', undefined, (client) => findCorrection(client, request.id))) as NonNullable<
          Awaited<ReturnType<typeof findCorrection>>
        >;
      },
      list: (page) => ask('corrections', undefined, (client) => listCorrections(client, page)),
      get: (id) => ask('correction', undefined, (client) => findCorrection(client, id)),
      events: (id, page) => ask('correctedEvents', undefined, (client) => correctedEvents(client, names, id, page)),
    },
    eventsBehind: (scope, page, moment, signal) =>
      ask('eventsBehind', signal, (client) => eventsBehind(client, names, scope, page, moment)),
    lateEvents: (scope, since, page, signal) =>
      ask('lateEvents', signal, (client) => lateEvents(client, names, scope, since, page)),
    subjectsSeen: (query, signal) => ask('subjectsSeen', signal, (client) => subjectsSeen(client, names, query)),
    dimensionValues: (query, signal) =>
      ask('dimensionValues', signal, (client, limits) => readDimensionValues(client, deps, query, limits)),
    duplicatesOf: (rowIds) => ask('duplicates', undefined, (client) => readDuplicates(client, rowIds)),
    typesSeen: (subject) => ask('typesSeen', undefined, (client) => typesSeen(client, names, subject)),
    async syncMeters(meters) {
      if (await syncSeries(upkeepDb, names, meters)) leader.wake();
    },
    seriesProgress: (meter) => ask('progress', undefined, (client) => seriesProgress(client, meter)),
    expire: (beforeMs) => expireStep(upkeepDb, beforeMs),
    verify: () => ask('verify', undefined, (client) => verifyRollups(client, tuples)),
    gatewayProcesses: (page) => ask('processes', undefined, (client) => listProcesses(client, page)),
    gatewayRequests: (page) => ask('gatewayRequests', undefined, (client) => listRequests(client, page)),
    check: async () => {
      await namingDb.transaction('READ COMMITTED', (client) =>
        client.query(`SELECT pg_current_xact_id()::text, one FROM store`),
      );
    },
    load: () => ({
      queuedEvents: ingest.queuedEvents,
      maxQueuedEvents,
      readerThreads: readerConnections,
      runningQuestions: questions.running,
      waitingQuestions: questions.waiting,
      maxWaitingQuestions: maxWaitingQueries,
    }),
    upkeep: async () => ({
      ...(await namingDb.withClient(readUpkeep)),
      unknownMigrations: await unknownMigrations(namingDb),
    }),
    close: async () => {
      await ingest.close();
      await leader.stop();
      await questions.onIdle();
      await Promise.all([ingestDb, readDb, namingDb, upkeepDb].map((db) => db.close()));
    },
  };
}

/** Has the database end a connection's statement when nobody waits for it any more. */
function endWhenAborted(client: PgClient, ended: AbortSignal | undefined, db: Database): { done(): Promise<void> } {
  let cancelling: Promise<unknown> | undefined;
  const cancel = (): void => {
    // Known to the client, but not to its types.
    const { processID } = client as PgClient & { processID: number };
    // It may be told late, and then hit what the next one asks.
    spoil(client);
    cancelling = db.withClient((other) => other.query('SELECT pg_cancel_backend($1)', [processID])).catch(() => {});
  };
  ended?.addEventListener('abort', cancel, { once: true });
  return {
    // Before another has the connection.
    async done() {
      ended?.removeEventListener('abort', cancel);
      await cancelling;
    },
  };
}

/** Answers what a reading asks for, one query after the other. */
async function answerAll<T>(
  reading: Generator<GroupedQuery, T, QueryAnswer>,
  answer: (query: GroupedQuery) => Promise<QueryAnswer>,
): Promise<T> {
  let step = reading.next();
  while (step.done !== true) {
    let answered: QueryAnswer;
    try {
      answered = await answer(step.value);
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    step = reading.next(answered);
  }
  return step.value;
}

/** So long a piece may keep its connection from others that wait for one. */
const PIECE_MS = 25;

async function answerSome(
  client: PgClient,
  queries: readonly UsageQuery[],
  answer: (query: UsageQuery) => Promise<QueryAnswer>,
): Promise<UsageAnswer[]> {
  const answered: QueryAnswer[] = [];
  const untilMs = performance.now() + PIECE_MS;
  for (const query of queries) {
    answered.push(await answer(query));
    if (performance.now() >= untilMs) break;
  }
  const snapshot = await currentSnapshot(client);
  return answered.map(({ rows }) => ({ rows, snapshot }));
}

/** Each piece waits in the queue anew, so that work of any length lets others have the connections in between. */
async function answerInPieces(
  queries: readonly UsageQuery[],
  ask: Ask,
  answer: (ended: AbortSignal | undefined, queries: readonly UsageQuery[]) => Promise<UsageAnswer[]>,
): Promise<UsageAnswer[]> {
  const answers: UsageAnswer[] = [];
  while (answers.length < queries.length) {
    answers.push(...(await ask((ended) => answer(ended, queries.slice(answers.length)))));
  }
  return answers;
}

async function readUpkeep(client: PgClient): Promise<Omit<UsageUpkeep, 'unknownMigrations'>> {
  const { rows } = await client.query<Omit<UsageUpkeep, 'unknownMigrations'>>(
    `SELECT (SELECT coalesce(sum(events), 0) FROM rollup_deltas)::bigint AS "unfoldedEvents",
       (SELECT count(*) FROM rollup_series WHERE NOT dropped AND back_filled_row < last_row) AS "backFillingMeters",
       (SELECT coalesce(sum(greatest(total - looked_at, 0)), 0) FROM rollup_series
        WHERE NOT dropped AND back_filled_row < last_row)::bigint AS "backFillEventsLeft",
       (SELECT count(*) FROM (SELECT DISTINCT series, quarter FROM rollup_dirty) AS q) AS "quartersToRecompute"`,
  );
  return rows[0] as Omit<UsageUpkeep, 'unknownMigrations'>;
}

/** Rows that are handed over at a time: some 5 ms of whoever receives them. */
const ROWS_OF_PART = 2000;
const CHARACTERS_OF_PART = 1_048_576;

function* partsOf(rows: UsageAnswer['rows']): Generator<UsageAnswer['rows']> {
  for (let start = 0; start < rows.length; ) {
    let end = start;
    for (
      let characters = 0;
      end < rows.length && end - start < ROWS_OF_PART && characters < CHARACTERS_OF_PART;
      end++
    ) {
      for (const [name, value] of Object.entries(rows[end]?.dimensions ?? {})) characters += name.length + value.length;
    }
    yield rows.slice(start, end);
    start = end;
  }
}
