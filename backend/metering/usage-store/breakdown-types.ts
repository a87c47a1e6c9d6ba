import type { UsageQuery, UsageRow } from './types.ts';

/** What a breakdown is asked for: its windows, of the largest groups. */
export interface BreakdownQuery extends UsageQuery {
  /** How many groups are told apart: those with the largest totals; all others are one. */
  top: number;
}

/** Figures by window, in the order of a breakdown's windows. */
export interface FiguresByWindow {
  /** Over the whole range, as the meter aggregates: plain decimal text. Undefined when there is no usable value. */
  total: string | undefined;
  /** Null for a window without a usable value. */
  values: (string | null)[];
}

export interface BreakdownGroup extends FiguresByWindow {
  labels: Pick<UsageRow, 'subject' | 'subjectGroup' | 'dimensions'>;
}

/** A meter's figures by window for its largest groups and for all others together, from one moment. */
export interface Breakdown {
  /** Of all groups together, over the whole range. */
  total: string | undefined;
  /** Groups with a figure, told apart or not. */
  groupCount: number;
  /** Half-open, those with a figure; none where the query has no granularity. */
  windows: { fromMs: number; toMs: number }[];
  /** The largest first. */
  groups: BreakdownGroup[];
  /** The figure of all other groups' events, not the sum of their figures; undefined when there is no other group. */
  other: FiguresByWindow | undefined;
}

export type UsageSortField = 'from' | 'value';

/** A part of a query's answer. */
export interface UsagePageQuery extends UsageQuery {
  sort: { field: UsageSortField; direction: 'asc' | 'desc' };
  offset: number;
  limit: number;
}

export interface UsagePage {
  rows: UsageRow[];
  /** Rows of the whole answer. */
  total: number;
}
