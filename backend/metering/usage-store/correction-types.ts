import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { EventFilterField, StoredEvent } from './types.ts';

/** `void`: the events stop counting; `restore`: they count again. */
export type CorrectionAction = 'void' | 'restore';

/** Which events a correction is for; all conditions hold together. Only those stored before the correction. */
export interface EventSelection {
  filters: readonly FilterCondition<EventFilterField>[];
  /** Only events with one of these subjects; undefined for all. */
  subjects?: readonly string[] | undefined;
  /** Only events that are void because of the correction with this id. */
  voidedBy?: string | undefined;
}

export interface CorrectionRequest {
  /** Made by the caller, unique. */
  id: string;
  action: CorrectionAction;
  reason: string;
  madeBy: string;
  selection: EventSelection;
  /** JSON text of the caller, kept as it is. */
  note: string;
}

/** A correction as the audit list shows it. */
export interface Correction {
  id: string;
  action: CorrectionAction;
  reason: string;
  madeBy: string;
  madeAtMs: number;
  note: string;
  /** Events changed so far. */
  events: number;
  /** Events that were to be changed when it began. */
  expected: number;
  /** undefined while slices of it are left. */
  finishedAtMs: number | undefined;
}

/** What a correction would change. */
export interface CorrectionPreview {
  events: number;
  /** The oldest of them. */
  sample: readonly StoredEvent[];
}

/** Corrections of stored events. */
export interface EventCorrections {
  /** What `correct` would change, and changes nothing. */
  preview(
    action: CorrectionAction,
    selection: EventSelection,
    sampleSize: number,
    signal?: AbortSignal,
  ): Promise<CorrectionPreview>;
  /**
   * Changes the selected events, each figure with them in the same transaction. Up to 5,000 events are changed together,
   * and on disk, when the promise resolves. More go on in slices of as many, also after a restart; the answer then has no
   * `finishedAtMs` yet. Corrections run one after the other.
   */
  correct(request: CorrectionRequest): Promise<Correction>;
  /** Newest first. */
  list(page: { offset: number; limit: number }): Promise<{ corrections: Correction[]; total: number }>;
  get(id: string): Promise<Correction | undefined>;
  /** The events that a correction has changed, in the order of storing. @param after the row that the page before ended with */
  events(id: string, page: { size: number; after?: number | undefined }): Promise<StoredEvent[]>;
}
