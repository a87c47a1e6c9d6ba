import type { BreakdownQuery, UsagePageQuery } from '../breakdown-types.ts';
import type { DimensionValuesQuery, SubjectsSeenQuery } from '../seen-types.ts';
import type { CountedEventPosition, UsageMoment, UsageScope } from '../tracing-types.ts';
import type { AppendResult, EventPosition, MeterSpec, UsageQuery } from '../types.ts';
import type { SelectionQuery } from './corrections/correction-reader.ts';
import type { CorrectionSlice } from './corrections/correction-writer.ts';
import type { EventRowsQuery } from './event-conditions.ts';
import type { AppendRequest } from './event-writer.ts';

/** What the writer's thread is told. Each request has a number that its answer carries. */
export type ToWriter =
  | (AppendRequest & { kind: 'append'; id: number })
  | { kind: 'find'; id: number; eventIds: readonly string[] }
  | { kind: 'sync'; id: number; meters: readonly MeterSpec[] }
  | { kind: 'correct'; id: number; slice: CorrectionSlice }
  | { kind: 'expire'; id: number; beforeMs: number }
  | { kind: 'upkeep'; id: number }
  | { kind: 'stop' };

export type FromWriter =
  | { kind: 'stored'; ids: readonly number[]; results: readonly AppendResult[]; tookMs: number }
  | { kind: 'found'; id: number; rowIds: readonly number[] }
  | { kind: 'done'; id: number; result?: unknown }
  | { kind: 'failed'; ids: readonly number[]; reason: string; code?: string | undefined }
  /** Upkeep that no request waits for has failed; it is tried again later. */
  | { kind: 'trouble'; reason: string }
  | { kind: 'stopped' };

/** What a reader's thread is started with. */
export interface ReaderOptions {
  path: string;
  /** As in QueryLimits. */
  maxRows: number;
  maxCharacters: number;
}

/** What a reader's thread is asked; it answers one request at a time. */
export type ReaderRequest =
  | { kind: 'list'; query: EventRowsQuery }
  | { kind: 'query'; query: UsageQuery }
  | { kind: 'breakdown'; query: BreakdownQuery }
  | { kind: 'usagePage'; query: UsagePageQuery }
  /** As many of the first as there is time for: see query-pieces.ts. */
  | { kind: 'queries'; queries: readonly UsageQuery[] }
  | { kind: 'totals' }
  | { kind: 'progress'; meter: MeterSpec }
  | { kind: 'verify' }
  | {
      kind: 'select';
      query: SelectionQuery;
      page: { size: number; after: EventPosition | undefined; lastRow: number | undefined };
    }
  | { kind: 'preview'; query: SelectionQuery; sampleSize: number }
  | { kind: 'correction'; id: string }
  | { kind: 'corrections'; page: { offset: number; limit: number } }
  | { kind: 'correctedEvents'; id: string; page: { size: number; after?: number | undefined } }
  | { kind: 'subjectsSeen'; query: SubjectsSeenQuery }
  | { kind: 'typesSeen'; subject: string }
  | { kind: 'dimensionValues'; query: DimensionValuesQuery }
  | { kind: 'duplicates'; rowIds: readonly number[] }
  | {
      kind: 'eventsBehind';
      scope: UsageScope;
      page: { size: number; after?: CountedEventPosition | undefined };
      moment: UsageMoment | undefined;
    }
  | {
      kind: 'lateEvents';
      scope: UsageScope;
      since: UsageMoment;
      page: { size: number; afterRow?: number | undefined };
    }
  | { kind: 'processes'; page: { offset: number; limit: number; node?: string } }
  | { kind: 'gatewayRequests'; page: { offset: number; limit: number; node?: string } };

export type ReaderAnswer =
  /** `waitingRows`: rows of the answer that are still with the reader; it gives a part of them for each "more". */
  | { result: unknown; waitingRows: number; reason?: never; isRefused?: never }
  | { result?: never; waitingRows?: never; reason: string; isRefused: boolean };

/** What a reader's thread is told. */
export type ToReader = { request: ReaderRequest; cancelled: Int32Array } | 'more' | 'stop';
