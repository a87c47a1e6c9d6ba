import type { Period } from '../../../platform/period/index.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import type { AnswerOrigin, UsageQuery, UsageRow } from '../types.ts';

/** One row of the answer while it is being gathered. */
export interface UsageGroup {
  window: Period | undefined;
  labels: Pick<UsageRow, 'subject' | 'subjectGroup' | 'dimensions'>;
  /** Plain decimal text; undefined when no event had a usable value. */
  result(): string | undefined;
  firstMs: number;
  lastMs: number;
}

/** A query that tells some of its groups apart. */
export interface GroupedQuery extends UsageQuery {
  /** Keys of these groups: all others are one, without a name. Undefined: each group is told apart. */
  apart?: ReadonlySet<string> | undefined;
}

export interface QueryAnswer {
  rows: UsageRow[];
  origin: AnswerOrigin;
}

const MINUTE_MS = 60_000;

/** The rows of an answer, ordered by window and then by name. */
export function toRows(groups: Iterable<UsageGroup>, query: UsageQuery): UsageRow[] {
  const rows = [...groups].flatMap((group) => toRow(group, query));
  const { ofNothing } = AGGREGATIONS[query.meter.aggregation];
  if (rows.length === 0 && ofNothing !== undefined && isOneFigure(query)) return [rowOfNothing(query, ofNothing)];
  // One window: its groups by name, whichever had the first event.
  const keyed = rows.map((row) => ({
    row,
    atMs: query.granularity === undefined ? 0 : row.fromMs,
    key: groupKey(row),
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

function isOneFigure(query: UsageQuery): boolean {
  const grouped = query.groupBy.length > 0 || query.groupBySubject || query.subjectGroups !== undefined;
  return !grouped && query.granularity === undefined;
}

/** A count over nothing is one row with 0; without bounds it stands at the beginning of time, as SQL's minimum of nothing does. */
function rowOfNothing(query: UsageQuery, value: string): UsageRow {
  const fromMs = query.fromMs ?? 0;
  return { fromMs, toMs: query.toMs ?? fromMs + MINUTE_MS, value, dimensions: {} };
}

/** What tells a group from the others of a query. */
export function groupKey({ subject, subjectGroup, dimensions }: UsageGroup['labels']): string {
  return subjectKey(subject, subjectGroup) + valuesKey(Object.values(dimensions));
}

/** Of what is not told apart: no group has a key without dimensions and subject. */
export const OTHERS_KEY = groupKey({ dimensions: {} });

/** The two halves of a group's key, for whoever knows them before the group. */
export function subjectKey(subject: string | undefined, subjectGroup: string | undefined): string {
  return JSON.stringify([subject, subjectGroup]);
}

export function valuesKey(dimensionValues: readonly string[]): string {
  return JSON.stringify(dimensionValues);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
