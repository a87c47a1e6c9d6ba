import { windowFinder } from '../../../../platform/calendar-windows.ts';
import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { Period } from '../../../../platform/period/index.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import { createGather, dimensionJudge, type Gather, neededDimensions, OPEN } from '../../answering/cell-gather.ts';
import type { QueryLimits } from '../../answering/query-limits.ts';
import { type GroupedQuery, type QueryAnswer, toRows } from '../../answering/usage-rows.ts';
import { expiredEvents } from '../../expired-events.ts';
import { type BucketSize, bucketOf, bucketStartMs, type Level, levelFor, MONTHS_LEVEL } from '../../series/levels.ts';
import { largestSize, planAround, refine, type Segment } from '../../series/plan.ts';
import { canonicalSpec, type SeriesSpec } from '../../series/series-spec.ts';
import type { UsageQuery } from '../../types.ts';
import { completeFromMs } from '../retention/complete-from.ts';
import { untilCancelled } from '../usage-query.ts';
import { dirtyQuartersOf } from './dirty.ts';
import { visitEdge } from './edges.ts';
import { loadPending, type Pending, type TakeCell } from './pending.ts';
import { prepareRowReading, type RowReading } from './row-reading.ts';
import type { SeriesRow } from './series-row.ts';
import { tupleLabels } from './tuple-labels.ts';

/** Answers queries from roll-ups, and from events only where no bucket fits. */
export interface RollupReader {
  /** To be called in one snapshot. @returns undefined when only the events can tell */
  query(query: GroupedQuery, limits: QueryLimits): QueryAnswer | undefined;
  /** The same, with the number of events instead of the meter's figure. */
  countEvents(query: UsageQuery, limits: QueryLimits): QueryAnswer | undefined;
}

/** One query while it is being answered. */
interface Reading {
  db: Sqlite;
  query: UsageQuery;
  series: number;
  spec: SeriesSpec;
  rows: RowReading;
  pending: Pending;
  /** Quarters that only the events can tell of, ascending. */
  dirty: readonly number[];
  gather: Gather;
  needsSubject: boolean;
  needsDims: boolean;
  labelsOf: ReturnType<typeof tupleLabels>;
  /** Combinations of the series have values that are not kept apart, of dimensions that the query looks at. */
  hasOpen: boolean;
  /** name_ids of the subjects asked for; undefined: all. */
  subjects: ReadonlySet<number> | undefined;
  findWindow: ((atMs: number) => Period) | undefined;
  isCancelled: () => boolean;
  /** Events read at the edges. */
  events: number;
}

export function openRollupReader(db: Sqlite): RollupReader {
  const findSeries = db.prepare('SELECT * FROM rollup_series WHERE spec = ? AND dropped = 0');
  const findOpen = db.prepare(
    "SELECT 1 FROM rollup_tuples WHERE series = ? AND is_open = 1 AND json_type(texts, ?) = 'null' LIMIT 1",
  );
  /** A wide dimension that nobody looks at costs nothing. */
  const isOpen = (series: number, spec: SeriesSpec, name: string): boolean => {
    const index = spec.dimensions.findIndex(([other]) => other === name);
    return findOpen.get(series, `$[${index}]`) !== undefined;
  };
  const rows = prepareRowReading(db);
  const names = db.prepare('SELECT text FROM names WHERE name_id = ?').pluck();
  const nameIds = db.prepare('SELECT name_id FROM names JOIN json_each(?) ON text = value').pluck();
  const answer = (query: GroupedQuery, limits: QueryLimits, countsEvents: boolean): QueryAnswer | undefined => {
    if (query.granularity === 'PT1M') return undefined;
    const found = findSeries.get(canonicalSpec(query.meter)) as SeriesRow | undefined;
    if (found === undefined || found.back_filled_row < found.last_row) return undefined;
    const needed = neededDimensions(query);
    if (needed.some((name) => !Object.hasOwn(query.meter.dimensions, name))) return undefined;
    const spec = JSON.parse(found.spec) as SeriesSpec;
    const subjects = query.subjects && new Set(nameIds.all(JSON.stringify(query.subjects)) as number[]);
    const reading: Reading = {
      db,
      query,
      series: found.series,
      spec,
      rows,
      pending: loadPending(db, found.series, spec),
      dirty: dirtyQuartersOf(db, found.series, subjects),
      gather: createGather(query, (subject) => names.get(subject) as string, limits, countsEvents),
      needsSubject: query.groupBySubject || query.subjects !== undefined || query.subjectGroups !== undefined,
      needsDims: needed.length > 0,
      labelsOf: tupleLabels(db, found.series, dimensionJudge(spec, query)),
      hasOpen: needed.some((name) => isOpen(found.series, spec, name)),
      subjects,
      findWindow: query.granularity && windowFinder(query.granularity, query.timeZone),
      isCancelled: limits.isCancelled,
      events: 0,
    };
    readAll(reading);
    return {
      rows: toRows(reading.gather.groups(), query),
      origin: { by: 'roll-ups', events: reading.events, pendingEvents: reading.pending.events },
    };
  };
  return {
    query: (query, limits) => answer(query, limits, false),
    countEvents: (query, limits) => answer(query, limits, true),
  };
}

function readAll(reading: Reading): void {
  const { query, needsSubject, needsDims } = reading;
  const range = clippedRange(reading);
  if (range === undefined) return;
  const size = largestSize(query.granularity, query.timeZone, needsSubject && needsDims);
  const segments = planAround(range.fromMs, range.toMs, size, reading.dirty);
  // Grows where a bucket turns out to be cut by a window of the calendar.
  for (let segment = segments.pop(); segment !== undefined; segment = segments.pop()) {
    if (segment.size === undefined) readEdge(reading, segment.fromMs, segment.toMs);
    else for (const piece of inPieces(reading, segment)) segments.push(...readBuckets(reading, piece));
  }
}

type Buckets = Extract<Segment, { size: BucketSize }>;

const PIECES = 16;

/**
 * Buckets that are looked through for open ones first are so in pieces: a query with too many rows is refused when some of
 * them are gathered, and not only when all have been looked through.
 */
function* inPieces({ hasOpen }: Reading, { size, first, end }: Buckets): Generator<Buckets> {
  const length = hasOpen ? Math.ceil((end - first) / PIECES) : end - first;
  for (let from = first; from < end; from += length) yield { size, first: from, end: Math.min(from + length, end) };
}

/** What is asked for, cut to the months that have events: the ends of time are no places to walk through. */
function clippedRange({ query, series, rows, pending, dirty }: Reading): { fromMs: number; toMs: number } | undefined {
  const months = rows.bounds(series, MONTHS_LEVEL);
  const pendingMonths = pending.firstMs > pending.lastMs ? [] : [pending.firstMs, pending.lastMs];
  const dirtyMonths = dirty.length === 0 ? [] : [dirty[0] as number, dirty.at(-1) as number];
  const known = [
    ...(months ?? []),
    ...pendingMonths.map((atMs) => bucketOf('month', atMs)),
    // An event that counts again may be the only one of its month.
    ...dirtyMonths.map((quarter) => bucketOf('month', bucketStartMs('quarter', quarter))),
  ];
  if (known.length === 0) return undefined;
  const fromMs = Math.max(
    bucketStartMs('month', Math.min(...known)),
    query.fromMs ?? Number.NEGATIVE_INFINITY,
    query.meter.eventsFromMs ?? Number.NEGATIVE_INFINITY,
  );
  const toMs = Math.min(bucketStartMs('month', Math.max(...known) + 1), query.toMs ?? Number.POSITIVE_INFINITY);
  return { fromMs, toMs };
}

/** @returns what is left to be read in smaller pieces */
function readBuckets(reading: Reading, { size, first, end }: Buckets): Segment[] {
  const { query, series, rows, pending, gather, subjects, labelsOf, findWindow } = reading;
  const level = levelFor(size, reading.needsSubject, reading.needsDims) as Level;
  // Left to the events from the start: what of a bucket was gathered could not be taken back.
  const cut = openBuckets(reading, level, first, end);
  const windows = new Map<number, Period>();
  const windowOf = (bucket: number): Period | undefined => {
    const known = windows.get(bucket);
    if (findWindow === undefined || known !== undefined) return known;
    const fromMs = bucketStartMs(size, bucket);
    const window = findWindow(fromMs);
    if (window.fromMs > fromMs || window.toMs < bucketStartMs(size, bucket + 1)) cut.add(bucket);
    windows.set(bucket, window);
    return window;
  };
  const take: TakeCell = (bucket, subject, dims, value, cell) => {
    if (subjects !== undefined && !subjects.has(subject)) return;
    const labels = labelsOf(reading.needsDims ? dims : 0);
    if (labels === undefined || labels === OPEN) return;
    const window = windowOf(bucket);
    if (!cut.has(bucket)) gather.add(window, subject, labels, value, cell);
  };
  const found =
    reading.needsSubject || reading.needsDims || !AGGREGATIONS[query.meter.aggregation].isSummed
      ? rows.read(series, level.code, first, end, subjects)
      : rows.readSums(series, level.code, first, end);
  for (const row of untilCancelled(found, reading.isCancelled)) {
    const [bucket, subject, dims, value, n, m, figure, atMs, rowId, firstMs, lastMs] = row;
    take(bucket, subject, dims, value, { n, m, figure, atMs: atMs ?? 0, rowId: rowId ?? 0, firstMs, lastMs });
  }
  pending.visit({ level, first, end }, subjects, take);
  return [...cut].flatMap((bucket) => refine(size, bucket));
}

/** Buckets with events whose values the query needs and that are not kept apart. */
function openBuckets(
  { series, rows, pending, subjects, labelsOf, hasOpen, isCancelled }: Reading,
  level: Level,
  first: number,
  end: number,
): Set<number> {
  const open = new Set<number>();
  if (!hasOpen) return open;
  const take = (bucket: number, subject: number, dims: number): void => {
    if (subjects !== undefined && !subjects.has(subject)) return;
    if (labelsOf(dims) === OPEN) open.add(bucket);
  };
  for (const [bucket, subject, dims] of untilCancelled(
    rows.read(series, level.code, first, end, subjects),
    isCancelled,
  )) {
    take(bucket, subject, dims);
  }
  pending.visit({ level, first, end }, subjects, take);
  return open;
}

function readEdge(reading: Reading, fromMs: number, toMs: number): void {
  const { db, query, spec, gather, subjects, findWindow, isCancelled } = reading;
  const completeFrom = completeFromMs(db);
  if (completeFrom !== undefined && fromMs < completeFrom) throw expiredEvents(completeFrom);
  const judge = dimensionJudge(spec, query);
  reading.events += visitEdge(db, spec, { fromMs, toMs, subjects, isCancelled }, (texts, subject, value, cell) => {
    const labels = judge(texts());
    if (labels !== undefined && labels !== OPEN) gather.add(findWindow?.(cell.firstMs), subject, labels, value, cell);
  });
}
