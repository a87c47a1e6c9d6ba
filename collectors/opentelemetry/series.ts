import { createHash } from 'node:crypto';
import type { Clock } from '../../delivery/clock.ts';
import type { Cursor, CursorChange } from '../core/source.ts';
import { sumOf } from '../mapping/decimals.ts';
import type { MetricPoint } from './metric-points.ts';

/** What a cumulative point has counted since its start. */
export interface Total {
  /** A sum's value, or a histogram's count: it never falls, unless it was begun anew. */
  readonly count: string;
  /** A histogram's sum; undefined = it has none. */
  readonly sum: string | undefined;
}

/** What came since a series was last seen. */
export type Since =
  | { readonly kind: 'increase'; readonly increase: Total; readonly change: CursorChange }
  /** Nothing that is to be counted: it was seen before, or it is where counting begins. */
  | { readonly kind: 'none'; readonly change: CursorChange | undefined }
  | { readonly kind: 'too many' };

/** The last totals of cumulative series, in the source's cursor. Changes are seen by what is asked next. */
export interface SeriesTotals {
  since(point: MetricPoint, total: Total): Since;
  /** Changes that are to be kept with the first step, and now and then what need not be remembered any longer. */
  upkeep(): readonly CursorChange[];
  /** The changes since the last call were kept, or are to be forgotten. */
  settled(areKept: boolean): void;
}

interface State {
  readonly time: string;
  readonly start: string;
  readonly count: string;
  readonly sum: string | undefined;
}

const PREFIX = 'series/';
const BEGIN = 'series_begin';
const PAGE = 1000;
const HOUR_MS = 3_600_000;
/** A series that was not heard of for so long is over. */
const FORGET_MS = 30 * 86_400_000;
const nanosOfMs = (ms: number) => `${Math.floor(ms)}000000`;

export function openSeriesTotals(cursor: Cursor, clock: Clock, maxSeries: number): SeriesTotals {
  // What a series had counted before the collector was, others may have billed.
  let begin = cursor.get(BEGIN);
  const isNew = begin === undefined;
  begin ??= nanosOfMs(clock.epochMs());
  let isBeginKept = !isNew;
  let count = countOf(cursor);
  let added = 0;
  let pending = new Map<string, State>();
  let prunedAt = clock.now();

  const read = (key: string) => pending.get(key) ?? stateOf(cursor.get(key));

  function remember(key: string, state: State): CursorChange {
    pending.set(key, state);
    const { time, start, count: counted, sum } = state;
    return { key, value: JSON.stringify({ t: time, b: start, c: counted, s: sum }) };
  }

  return {
    since(point, total) {
      const { start_time_unix_nano: start, time_unix_nano: time } = point.point;
      const key = PREFIX + seriesIdOf(point, start);
      const before = read(key);
      if (before !== undefined && BigInt(time) <= BigInt(before.time)) return { kind: 'none', change: undefined };
      if (before === undefined && count + added >= maxSeries) return { kind: 'too many' };
      if (before === undefined) added++;
      const change = remember(key, { time, start, count: total.count, sum: total.sum });
      if (before !== undefined) return { kind: 'increase', increase: increaseOf(before, total), change };
      // A process that has started since counts from nothing.
      const isSeenWhole = start !== '0' && BigInt(start) >= BigInt(begin ?? '0');
      return isSeenWhole ? { kind: 'increase', increase: total, change } : { kind: 'none', change };
    },
    upkeep() {
      const changes: CursorChange[] = isBeginKept ? [] : [{ key: BEGIN, value: begin }];
      if (clock.now() - prunedAt < HOUR_MS) return changes;
      prunedAt = clock.now();
      const stale = staleIn(cursor, BigInt(nanosOfMs(clock.epochMs() - FORGET_MS)));
      if (stale.length === 0) return changes;
      // Should one of them be heard of again, it is not to be counted from its start again.
      const latest = stale.reduce((most, { start }) => (start > most ? start : most), BigInt(begin ?? '0'));
      begin = String(latest + 1n);
      count -= stale.length;
      return [{ key: BEGIN, value: begin }, ...stale.map(({ key }) => ({ key, value: undefined }))];
    },
    settled(areKept) {
      if (areKept) {
        count += added;
        isBeginKept = true;
      }
      added = 0;
      pending = new Map();
    },
  };
}

function increaseOf(before: Total, now: Total): Total {
  const count = difference(now.count, before.count);
  // Begun anew, without saying so by another start.
  if (count.startsWith('-')) return now;
  const isSummed = now.sum !== undefined && before.sum !== undefined;
  return { count, sum: isSummed ? difference(now.sum ?? '0', before.sum ?? '0') : now.sum };
}

function difference(a: string, b: string): string {
  return sumOf([a, b.startsWith('-') ? b.slice(1) : `-${b}`]);
}

/** Names a series: whose it is, what it measures, and of what; with its start, which a restart of the sender changes. */
export function seriesIdOf({ resource, scope, metric, point }: MetricPoint, start: string): string {
  const { name, unit, type } = metric;
  const parts = [
    sorted(resource.attributes),
    scope['name'],
    scope['version'],
    name,
    unit,
    type,
    sorted(point.attributes),
    start,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}

/** Attributes are a set: a client may write them in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => [key, sorted(one)]);
}

function stateOf(text: string | undefined): State | undefined {
  if (text === undefined) return undefined;
  const { t: time, b: start, c: count, s: sum } = JSON.parse(text) as { t: string; b: string; c: string; s?: string };
  return { time, start, count, sum };
}

function* pagesOf(cursor: Cursor) {
  for (let after = ''; ; ) {
    const page = cursor.list(PREFIX, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.key;
  }
}

function countOf(cursor: Cursor): number {
  let count = 0;
  for (const page of pagesOf(cursor)) count += page.length;
  return count;
}

/** As many as one step may forget. */
function staleIn(cursor: Cursor, before: bigint): { readonly key: string; readonly start: bigint }[] {
  const stale: { key: string; start: bigint }[] = [];
  for (const page of pagesOf(cursor)) {
    for (const { key, value } of page) {
      const state = stateOf(value);
      if (state !== undefined && BigInt(state.time) < before) stale.push({ key, start: BigInt(state.start) });
    }
    if (stale.length >= PAGE) break;
  }
  return stale;
}
