import type { Window } from '../../platform/calendar-windows.ts';
import type { AnswerOrigin, UsageQuery, UsageRow } from '../types.ts';

/** One row of the answer while it is being gathered. */
export interface UsageGroup {
  window: Window | undefined;
  labels: Pick<UsageRow, 'subject' | 'subjectGroup' | 'dimensions'>;
  /** Plain decimal text; undefined when no event had a usable value. */
  result(): string | undefined;
  firstMs: number;
  lastMs: number;
}

export interface QueryAnswer {
  rows: UsageRow[];
  origin: AnswerOrigin;
}

const MINUTE_MS = 60_000;

/** The rows of an answer, ordered by window and then by name. */
export function toRows(groups: Iterable<UsageGroup>, query: UsageQuery): UsageRow[] {
  const rows = [...groups].flatMap((group) => toRow(group, query));
  if (rows.length === 0 && isUngroupedCount(query)) return [emptyCount(query)];
  // One window: its groups by name, whichever had the first event.
  const keyed = rows.map((row) => ({
    row,
    atMs: query.granularity === undefined ? 0 : row.fromMs,
    key: labelKey(row),
  }));
  return keyed.sort((a, b) => a.atMs - b.atMs || compare(a.key, b.key)).map(({ row }) => row);
}

/** Without a granularity the row spans what was asked for, or else the minutes of its first and last event. */
function toRow(group: UsageGroup, query: UsageQuery): UsageRow[] {
  const value = group.result();
  if (value === undefined) return [];
  const fromMs = group.window?.fromMs ?? query.fromMs ?? floorMinute(group.firstMs);
  const toMs = group.window?.toMs ?? query.toMs ?? floorMinute(group.lastMs) + MINUTE_MS;
  return [{ fromMs, toMs, value, ...group.labels }];
}

function floorMinute(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

function isUngroupedCount(query: UsageQuery): boolean {
  const counts = query.meter.aggregation === 'count' || query.meter.aggregation === 'unique_count';
  const grouped = query.groupBy.length > 0 || query.groupBySubject || query.subjectGroups !== undefined;
  return counts && !grouped && query.granularity === undefined;
}

/** A count over nothing is one row with 0; without bounds it stands at the beginning of time, as SQL's minimum of nothing does. */
function emptyCount(query: UsageQuery): UsageRow {
  const fromMs = query.fromMs ?? 0;
  return { fromMs, toMs: query.toMs ?? fromMs + MINUTE_MS, value: '0', dimensions: {} };
}

function labelKey(row: UsageRow): string {
  return JSON.stringify([row.subject, row.subjectGroup, ...Object.values(row.dimensions)]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
