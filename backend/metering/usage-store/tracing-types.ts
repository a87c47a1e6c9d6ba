import type { DimensionFilter, MeterSpec, StoredEvent, UsageRow } from './types.ts';

/**
 * A moment of the store, as text to be kept beside a figure: which events were stored by then, and which were void. A
 * store that is restored from a backup does not know moments after the backup.
 */
export type UsageSnapshot = string;

/** Figures, and the moment that they were read at. */
export interface UsageAnswer {
  rows: UsageRow[];
  snapshot: UsageSnapshot;
}

/** What a usage figure is about. */
export interface UsageScope {
  meter: MeterSpec;
  /** Inclusive; undefined: from the first event. */
  fromMs: number | undefined;
  /** Exclusive; undefined: to the last event. */
  toMs: number | undefined;
  /** Only these subjects; undefined: all. */
  subjects?: readonly string[] | undefined;
  filters?: Readonly<Record<string, DimensionFilter>> | undefined;
}

/** A moment: that of an answer, or an instant, which means all that was stored and corrected until then (inclusive). */
export type UsageMoment = { snapshot: UsageSnapshot } | { atMs: number };

/** An event behind a figure. */
export interface CountedEvent {
  event: StoredEvent;
  /** What the meter takes from it: a decimal, or the text that unique_count tells apart; undefined for count. */
  value: string | undefined;
}

/** An event that makes a figure different from what it was at a moment. */
export interface LateEvent extends CountedEvent {
  /** `stored` and `restored` events count now and did not then; `voided` ones the other way round. */
  change: 'stored' | 'voided' | 'restored';
  changedAtMs: number;
}

/** Where a page of counted events ended: event time and row. */
export interface CountedEventPosition {
  atMs: number;
  rowId: number;
}

/** From figures back to their events. */
export interface UsageTracing {
  /** Exactly the events that a figure is made of, by event time: those with a usable value that pass the filters. */
  eventsBehind(
    scope: UsageScope,
    page: { size: number; after?: CountedEventPosition | undefined },
    /** Undefined: now. */
    moment?: UsageMoment,
    signal?: AbortSignal,
  ): Promise<{ events: CountedEvent[]; next: CountedEventPosition | undefined }>;
  /** The events that have made a figure different since a moment, in the order of storing. */
  lateEvents(
    scope: UsageScope,
    since: UsageMoment,
    page: { size: number; afterRow?: number | undefined },
    signal?: AbortSignal,
  ): Promise<{ events: LateEvent[]; nextRow: number | undefined }>;
}
