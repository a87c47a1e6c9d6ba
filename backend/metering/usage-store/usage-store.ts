import type { Breakdown, BreakdownQuery, UsagePage, UsagePageQuery } from './breakdown-types.ts';
import type { EventCorrections } from './correction-types.ts';
import type { DimensionValues, DimensionValuesQuery, SubjectsSeen, SubjectsSeenQuery, TypeSeen } from './seen-types.ts';
import type { UsageAnswer, UsageTracing } from './tracing-types.ts';
import type {
  AppendResult,
  DuplicatesOf,
  EventListQuery,
  Expiry,
  GatewayDelivery,
  GatewayProcess,
  GatewayRequests,
  MeterSpec,
  NewEvent,
  SeriesProgress,
  StoredEvent,
  UsageQuery,
  UsageRow,
  VerifyResult,
} from './types.ts';
import type { UsageLoad, UsageUpkeep } from './watch-types.ts';

/** The port for events and usage. Engines implement it; modules know nothing else of how usage is kept. */
export interface UsageStore extends UsageTracing {
  /**
   * Stores a batch: on disk when the promise resolves, all of it or nothing.
   * Events with a known (source, id) are left out and counted as duplicates.
   * @param delivery what the sending gateway says, written to its ledger in the same transaction
   */
  append(events: readonly NewEvent[], delivery?: GatewayDelivery): Promise<AppendResult>;
  /** One page of the ledger, the process seen last first. */
  gatewayProcesses(page: {
    offset: number;
    limit: number;
    node?: string;
  }): Promise<{ processes: GatewayProcess[]; total: number }>;
  /** One page of what gateways have served, the one that told last first. */
  gatewayRequests(page: {
    offset: number;
    limit: number;
    node?: string;
  }): Promise<{ accounts: GatewayRequests[]; total: number }>;
  /** The sums of all batches since the store was made. */
  totals(): Promise<AppendResult>;
  /** One page of stored events. */
  list(query: EventListQuery, signal?: AbortSignal): Promise<StoredEvent[]>;
  /** The figures of a meter; windows without an event are absent, rows ordered by window. An aborted one rejects. */
  query(query: UsageQuery, signal?: AbortSignal): Promise<UsageRow[]>;
  /** As `query`, but the rows come part by part, in their order, and are never all there at once. */
  queryInParts(query: UsageQuery, onRows: (rows: UsageRow[]) => void, signal?: AbortSignal): Promise<void>;
  /** The largest groups of a query by window, and all others together. */
  breakdown(query: BreakdownQuery, signal?: AbortSignal): Promise<Breakdown>;
  /** A page of what `query` answers. */
  usagePage(query: UsagePageQuery, signal?: AbortSignal): Promise<UsagePage>;
  /** As `query`, with the moment that the figures were read at, for `eventsBehind` and `lateEvents`. */
  queryWithSnapshot(query: UsageQuery, signal?: AbortSignal): Promise<UsageAnswer>;
  /**
   * The readings of one piece of work, asked for together: however many they are, they wait as one query does, and let
   * others have their turn. For readings of few rows each. Answers are in the order of the queries.
   */
  queryAll(queries: readonly UsageQuery[], signal?: AbortSignal): Promise<UsageAnswer[]>;
  /** Events made void or counted again. */
  corrections: EventCorrections;
  /** Subjects with events in a range of days, those with the most first. */
  subjectsSeen(query: SubjectsSeenQuery, signal?: AbortSignal): Promise<SubjectsSeen>;
  /** Values of a meter's dimension in a range of time, those with the most events first. */
  dimensionValues(query: DimensionValuesQuery, signal?: AbortSignal): Promise<DimensionValues>;
  /** What arrived again of these stored events; those that did not are absent. */
  duplicatesOf(rowIds: readonly number[]): Promise<DuplicatesOf[]>;
  /** What a subject has sent, by event type. */
  typesSeen(subject: string): Promise<TypeSeen[]>;
  /**
   * Keeps figures ahead of time for these meters and for no others, so that their queries do not read events. To be
   * called at the start and after each change of meters; every meter can be queried all the same, only slower.
   */
  syncMeters(meters: readonly MeterSpec[]): Promise<void>;
  /** How far the counting of older events for a meter is; undefined when the store does not keep figures for it. */
  seriesProgress(meter: MeterSpec): Promise<SeriesProgress | undefined>;
  /**
   * Removes some of the events that happened and were stored before an instant; to be called again while there are more.
   * Figures stay, and what would need the removed events is refused from then on. A removed event is not known any more:
   * if it comes again, it counts again.
   */
  expire(beforeMs: number): Promise<Expiry>;
  /** Recomputes all figures that are kept ahead of time from the events and compares. */
  verify(): Promise<VerifyResult>;
  /** Rejects when the store cannot be written or read. A store that is only busy can. */
  check(): Promise<void>;
  load(): UsageLoad;
  /** Waits for a transaction that runs, never for queries. */
  upkeep(): Promise<UsageUpkeep>;
  close(): Promise<void>;
}
