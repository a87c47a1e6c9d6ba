import type { AppendResult, MeterSpec, UsageQuery } from '../types.ts';
import type { EventRowsQuery } from './event-list.ts';
import type { AppendRequest } from './event-writer.ts';

/** What the writer's thread is told. Each request has a number that its answer carries. */
export type ToWriter =
  | (AppendRequest & { kind: 'append'; id: number })
  | { kind: 'find'; id: number; eventId: string }
  | { kind: 'sync'; id: number; meters: readonly MeterSpec[] }
  | { kind: 'stop' };

export type FromWriter =
  | { kind: 'stored'; ids: readonly number[]; results: readonly AppendResult[] }
  | { kind: 'found'; id: number; rowIds: readonly number[] }
  | { kind: 'synced'; id: number }
  | { kind: 'failed'; ids: readonly number[]; reason: string }
  | { kind: 'stopped' };

/** What a reader's thread is asked; it answers one request at a time. */
export type ReaderRequest =
  | { kind: 'list'; query: EventRowsQuery }
  | { kind: 'query'; query: UsageQuery }
  | { kind: 'totals' }
  | { kind: 'progress'; meter: MeterSpec }
  | { kind: 'verify' }
  | { kind: 'processes'; page: { offset: number; limit: number; node?: string } };

export type ReaderAnswer = { result: unknown; reason?: never } | { result?: never; reason: string };
