import type { QueryAnswer } from '../answering/usage-rows.ts';
import type { Breakdown, UsagePage } from '../breakdown-types.ts';
import type { UsageAnswer } from '../tracing-types.ts';
import type { AnswerOrigin, EventListQuery } from '../types.ts';
import type { UsageStore } from '../usage-store.ts';
import type { ReaderPool } from './reader-pool.ts';
import type { WriterClient } from './writer-client.ts';

/** What the threads that read answer alone. */
type Asked = Pick<
  UsageStore,
  | 'totals'
  | 'list'
  | 'queryInParts'
  | 'query'
  | 'queryWithSnapshot'
  | 'queryAll'
  | 'breakdown'
  | 'usagePage'
  | 'eventsBehind'
  | 'lateEvents'
  | 'subjectsSeen'
  | 'dimensionValues'
  | 'duplicatesOf'
  | 'typesSeen'
  | 'seriesProgress'
  | 'verify'
  | 'gatewayProcesses'
  | 'gatewayRequests'
>;

/** The questions of a store. @param onAnswer told how each query was answered */
export function questionsTo(
  readers: ReaderPool,
  writer: Pick<WriterClient, 'findByIds'>,
  onAnswer: (origin: AnswerOrigin) => void = () => {},
) {
  /** The rows of exact ids, where the filters have some: the writer knows them without a search. */
  const rowsOfIds = async ({ filters }: Pick<EventListQuery, 'filters'>): Promise<readonly number[] | undefined> => {
    const exact = filters.find(({ field, operator }) => field === 'id' && (operator === 'eq' || operator === 'oeq'));
    if (exact === undefined) return undefined;
    return writer.findByIds(exact.values);
  };
  const told = <Answer extends { origin: AnswerOrigin }>({ origin, ...answer }: Answer): Omit<Answer, 'origin'> => {
    onAnswer(origin);
    return answer;
  };
  const queryWithSnapshot: Asked['queryWithSnapshot'] = async (query, signal) =>
    told(await readers.ask<QueryAnswer & UsageAnswer>({ kind: 'query', query }, signal));
  const asked: Asked = {
    totals: () => readers.ask({ kind: 'totals' }),
    list: async (query, signal) =>
      readers.ask({ kind: 'list', query: { ...query, rowIds: await rowsOfIds(query) } }, signal),
    queryInParts: async (query, onRows, signal) => {
      told(await readers.ask<QueryAnswer>({ kind: 'query', query }, signal, onRows));
    },
    query: async (query, signal) => (await queryWithSnapshot(query, signal)).rows,
    queryWithSnapshot,
    queryAll: async (queries, signal) => (await readers.queryAll(queries, signal)).map(told),
    breakdown: async (query, signal) =>
      told(await readers.ask<{ breakdown: Breakdown; origin: AnswerOrigin }>({ kind: 'breakdown', query }, signal))
        .breakdown,
    usagePage: async (query, signal) =>
      told(await readers.ask<UsagePage & { origin: AnswerOrigin }>({ kind: 'usagePage', query }, signal)),
    eventsBehind: (scope, page, moment, signal) => readers.ask({ kind: 'eventsBehind', scope, page, moment }, signal),
    lateEvents: (scope, since, page, signal) => readers.ask({ kind: 'lateEvents', scope, since, page }, signal),
    subjectsSeen: (query, signal) => readers.ask({ kind: 'subjectsSeen', query }, signal),
    dimensionValues: (query, signal) => readers.ask({ kind: 'dimensionValues', query }, signal),
    duplicatesOf: (rowIds) => readers.ask({ kind: 'duplicates', rowIds }),
    typesSeen: (subject) => readers.ask({ kind: 'typesSeen', subject }),
    seriesProgress: (meter) => readers.ask({ kind: 'progress', meter }),
    verify: () => readers.ask({ kind: 'verify' }),
    gatewayProcesses: (page) => readers.ask({ kind: 'processes', page }),
    gatewayRequests: (page) => readers.ask({ kind: 'gatewayRequests', page }),
  };
  return { asked, rowsOfIds };
}
