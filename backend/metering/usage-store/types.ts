import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { Direction } from '../../platform/http/sorting.ts';

/** An event that has been checked and may be stored. */
export interface NewEvent {
  source: string;
  id: string;
  type: string;
  subject: string;
  /** When it happened, milliseconds since the epoch. */
  timeMs: number;
  /** Its sender gave no time: sent again, it has another. */
  isTimeOfReceipt?: true | undefined;
  /** The event's data as JSON text, digits as they came; undefined when it has none. */
  data: string | undefined;
  /** When the API received it, milliseconds since the epoch. */
  ingestedAtMs: number;
}

export interface StoredEvent extends NewEvent {
  /** Rises in the order of storing; breaks ties between equal instants. */
  rowId: number;
  storedAtMs: number;
  /** Why it does not count: the correction that made it void. */
  voided?: { correctionId: string; reason: string; madeBy: string; madeAtMs: number };
}

/** What became of a batch: `stored + duplicates` is its length. */
export interface AppendResult {
  stored: number;
  /** Events whose (source, id) had been stored before, or stood earlier in the same batch. They count once. */
  duplicates: number;
}

/** Events that arrived after one with the same source and id, and were left out. */
export interface DuplicatesOf {
  /** Of the stored one. */
  rowId: number;
  times: number;
  /** Of them, with another type, subject or data. */
  differing: number;
  lastAtMs: number;
}

/** Numbers from `first` to `last`, both included. */
export interface NumberRange {
  first: number;
  last: number;
}

/** What a gateway process says about a batch that it sends, and about itself. */
export interface GatewayDelivery {
  node: string;
  /** One run of one plugin server; its numbers begin at 1. */
  process: string;
  /** The numbers of the events in the batch, refused ones included. */
  ranges: readonly NumberRange[];
  received: number;
  /** Events of the batch that were refused and are not stored. */
  rejected: number;
  /** The highest number that the process has given so far. */
  taken?: number | undefined;
  /** What the process has dropped so far, by reason. */
  dropped?: Readonly<Record<string, number>> | undefined;
  /** What its gateway has served, if this process is the one to tell. */
  requests?: GatewayRequestsReport | undefined;
}

/** Requests that a gateway has served since it opened the account. */
export interface GatewayRequestsReport {
  /** One account of one gateway; a new one begins at 0. */
  account: string;
  /** Rises from report to report. */
  revision: number;
  served: number;
  /** Those that made events. */
  metered: number;
  /** Those that made none, by reason. */
  notMetered: Readonly<Record<string, number>>;
  /** Those whose log entry has not arrived, for longer than one is on its way. */
  unexplained: number;
}

/** The last report of an account. */
export interface GatewayRequests extends GatewayRequestsReport {
  node: string;
  firstSeenAtMs: number;
  lastSeenAtMs: number;
}

/** The ledger of one gateway process. */
export interface GatewayProcess {
  node: string;
  process: string;
  firstSeenAtMs: number;
  lastSeenAtMs: number;
  received: number;
  stored: number;
  duplicates: number;
  rejected: number;
  taken: number | undefined;
  /** The highest number that has arrived. */
  lastNumber: number | undefined;
  /** Numbers below it that have not arrived: the first hundred ranges. */
  missing: readonly NumberRange[];
  missingCount: number;
  dropped: Readonly<Record<string, number>>;
}

export type EventSortField = 'time' | 'ingested_at' | 'stored_at';
export type EventFilterField = 'id' | 'source' | 'subject' | 'type' | 'time' | 'ingested_at' | 'stored_at';

export interface EventListQuery {
  filters: readonly FilterCondition<EventFilterField>[];
  /** Only events with one of these subjects; undefined for all. */
  subjects?: readonly string[];
  sort: { field: EventSortField; direction: Direction };
  size: number;
  /** Where the page before ended: value of the sort column and row. */
  after?: EventPosition;
}

export interface EventPosition {
  atMs: number;
  rowId: number;
}

export type Aggregation = 'sum' | 'count' | 'unique_count' | 'avg' | 'min' | 'max' | 'latest';

/** The part of a meter's definition that decides its figures. */
export interface MeterSpec {
  eventType: string;
  aggregation: Aggregation;
  /** JSONPath of the value; undefined for count. */
  valueProperty: string | undefined;
  /** Events before this instant do not count. */
  eventsFromMs: number | undefined;
  /** JSONPath of each dimension by name. */
  dimensions: Readonly<Record<string, string>>;
}

export type Granularity = 'PT1M' | 'PT1H' | 'P1D' | 'P1M';

/** A test of one dimension's string value. `and` and `or` nest. */
export interface DimensionFilter {
  exists?: boolean | undefined;
  eq?: string | undefined;
  neq?: string | undefined;
  in?: readonly string[] | undefined;
  nin?: readonly string[] | undefined;
  contains?: string | undefined;
  ncontains?: string | undefined;
  and?: readonly DimensionFilter[] | undefined;
  or?: readonly DimensionFilter[] | undefined;
}

export interface UsageQuery {
  meter: MeterSpec;
  /** Inclusive; undefined: from the first event. */
  fromMs: number | undefined;
  /** Exclusive; undefined: to the last event, future ones included. */
  toMs: number | undefined;
  /** undefined: one window over everything. */
  granularity: Granularity | undefined;
  /** IANA name; windows follow its days and months. */
  timeZone: string;
  /** Names of the meter's dimensions. */
  groupBy: readonly string[];
  groupBySubject: boolean;
  filters: Readonly<Record<string, DimensionFilter>>;
  /** Only these subjects; undefined: all. */
  subjects?: readonly string[] | undefined;
  /** Group by what a subject belongs to (a customer) instead of the subject itself: subject → group. */
  subjectGroups?: ReadonlyMap<string, string> | undefined;
}

export interface UsageRow {
  /** Half-open window [fromMs, toMs). */
  fromMs: number;
  toMs: number;
  /** Plain decimal text. */
  value: string;
  subject?: string;
  /** The group of `subjectGroups`. */
  subjectGroup?: string;
  /** Values of the grouped dimensions. */
  dimensions: Readonly<Record<string, string>>;
}

/** The counting of the events that were stored before a meter was known. Queries read events until it is finished. */
export interface SeriesProgress {
  isFinished: boolean;
  /** Stored events looked at so far, of all types. */
  lookedAt: number;
  total: number;
  /** Dimensions with too many values: queries that use them read events. */
  wideDimensions: readonly string[];
}

/** What a step of removing old events has done. */
export interface Expiry {
  removed: number;
  /** `more` are due; or the rest is `waiting` for what still needs the events: a back-fill or a correction. */
  state: 'done' | 'more' | 'waiting';
}

export interface VerifyResult {
  /** Meters (with the same figures: one) that were compared; those that are still back-filling are not. */
  series: number;
  /** Figures compared. */
  cells: number;
  /** Quarters of an hour that corrections have touched and that are still to be computed anew; they are not compared. */
  waiting: number;
  /** What differs, in words: the first hundred. */
  differences: readonly string[];
}

/** How a query was answered. */
export interface AnswerOrigin {
  by: 'roll-ups' | 'events';
  /** Events that were read: all of the range, or those at the edges. */
  events: number;
  /** The youngest events of the meter, which were added up one by one beside the roll-ups. */
  pendingEvents: number;
}
