import type { MeterSpec } from './types.ts';

/** Which subjects to look for. */
export interface SubjectsSeenQuery {
  /** Widened to whole days (UTC). Undefined: from the first event. */
  fromMs?: number | undefined;
  /** Exclusive, widened to whole days (UTC). Undefined: to the last event. */
  toMs?: number | undefined;
  /** Only subjects that begin with this text. */
  prefix?: string | undefined;
  /** Only these subjects. */
  subjects?: readonly string[] | undefined;
  /** None of these subjects. */
  except?: readonly string[] | undefined;
  /** Only events of this type. */
  type?: string | undefined;
  /** How many subjects at most: those with the most events. */
  limit: number;
}

/** A subject that events came from. */
export interface SubjectSeen {
  subject: string;
  /** Events that are not void. */
  count: number;
  voided: number;
  /** Time of its last event, void ones included. */
  lastSeenAtMs: number;
}

export interface SubjectsSeen {
  subjects: SubjectSeen[];
  /** Subjects that match; more than are listed where the limit cuts. */
  total: number;
  /** All their events that are not void. */
  count: number;
}

/** What one subject sent, by event type. */
export interface TypeSeen {
  type: string;
  count: number;
  voided: number;
  lastSeenAtMs: number;
}

export interface DimensionValuesQuery {
  meter: MeterSpec;
  /** Name of one of the meter's dimensions. */
  dimension: string;
  /** Inclusive, exact. Undefined: from the first event. */
  fromMs: number | undefined;
  /** Exclusive. Undefined: to the last event. */
  toMs: number | undefined;
  subjects?: readonly string[] | undefined;
  /** Only values that begin with this text. */
  prefix?: string | undefined;
  /** How many values at most: those with the most events. */
  limit: number;
}

export interface DimensionValues {
  /** Each with how many events of the meter's type have it, those without a usable value included. */
  values: { value: string; count: number }[];
  /** Values that match; more than are listed where the limit cuts. */
  total: number;
}
