import { windowFinder } from '../../../platform/calendar-windows.ts';
import type { Period } from '../../../platform/period/index.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import { createGather, dimensionJudge, type Gather, neededDimensions, OPEN } from '../answering/cell-gather.ts';
import { createEventGather } from '../answering/event-gather.ts';
import type { QueryLimits } from '../answering/query-limits.ts';
import { type GroupedQuery, type QueryAnswer, toRows } from '../answering/usage-rows.ts';
import { parseData } from '../event-data.ts';
import { expiredEvents } from '../expired-events.ts';
import { eventReading } from '../series/event-reading.ts';
import { type BucketSize, bucketOf, bucketStartMs, type Level, levelFor, MONTHS_LEVEL } from '../series/levels.ts';
import { largestSize, planAround, refine, type Segment } from '../series/plan.ts';
import { canonicalSpec, type SeriesSpec } from '../series/series-spec.ts';
import type { UsageQuery } from '../types.ts';
import { storableValue } from './contributions.ts';
import { numberArray, type PgClient } from './database.ts';
import { rangeOf, readEventRows } from './event-rows.ts';
import type { Names } from './names.ts';
import { readRows, rowsSql } from './rollup-rows.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

export interface ReadDeps {
  names: Names;
  tuples: Tuples;
}

/** What is known of a meter's series, if the store keeps one. */
interface Known {
  series: number;
  spec: SeriesSpec;
  isBackFilled: boolean;
  pendingEvents: number;
  hasDirty: boolean;
  /** The months with events. */
  bounds: [number, number] | undefined;
}

/** One query while it is being answered. */
interface Reading {
  client: PgClient;
  deps: ReadDeps;
  query: UsageQuery;
  known: Known;
  completeFromMs: number | undefined;
  /** Quarters that only the events can tell of, ascending. */
  dirty: readonly number[];
  gather: Gather;
  judge: ReturnType<typeof dimensionJudge>;
  needsSubject: boolean;
  needsDims: boolean;
  /** Combinations of the series have values that are not kept apart, of dimensions that the query looks at. */
  hasOpen: boolean;
  /** name_ids of the subjects asked for; undefined: all. */
  subjects: readonly number[] | undefined;
  subjectTexts: Map<number, string>;
  labels: Map<number, ReturnType<ReturnType<typeof dimensionJudge>>>;
  findWindow: ((atMs: number) => Period) | undefined;
  /** Events read one by one. */
  events: number;
}

/** Answers a query from roll-ups, and from events where no bucket fits. To be called in a transaction of one moment. */
export async function answerQuery(
  client: PgClient,
  deps: ReadDeps,
  query: GroupedQuery,
  limits: QueryLimits,
  countsEvents = false,
): Promise<QueryAnswer> {
  const { known, completeFromMs } = await findSeries(client, query);
  const needed = neededDimensions(query);
  const canUse =
    known?.isBackFilled === true &&
    query.granularity !== 'PT1M' &&
    needed.every((name) => Object.hasOwn(query.meter.dimensions, name));
  if (!canUse) {
    const counting = { ...query, meter: { ...query.meter, aggregation: 'count' as const } };
    return answerFromEvents(client, deps, countsEvents ? counting : query, limits, known, completeFromMs);
  }
  const subjects = query.subjects && (await deps.names.findIds(client, query.subjects));
  const subjectTexts = new Map<number, string>();
  const reading: Reading = {
    client,
    deps,
    query,
    known,
    completeFromMs,
    dirty: known.hasDirty ? await dirtyQuarters(client, known.series, subjects) : [],
    gather: createGather(query, (subject) => subjectTexts.get(subject) as string, limits, countsEvents),
    judge: dimensionJudge(known.spec, query),
    needsSubject: query.groupBySubject || query.subjects !== undefined || query.subjectGroups !== undefined,
    needsDims: needed.length > 0,
    hasOpen: needed.length > 0 && (await hasOpenTuples(client, known, needed)),
    subjects,
    subjectTexts,
    labels: new Map(),
    findWindow: query.granularity && windowFinder(query.granularity, query.timeZone),
    events: 0,
  };
  await readAll(reading);
  return {
    rows: toRows(reading.gather.groups(), query),
    origin: { by: 'roll-ups', events: reading.events, pendingEvents: known.pendingEvents },
  };
}

async function findSeries(
  client: PgClient,
  { meter }: UsageQuery,
): Promise<{ known: Known | undefined; completeFromMs: number | undefined }> {
  const { rows } = await client.query<{
    series: number | null;
    spec: string;
    is_back_filled: boolean;
    pending: number;
    first_pending: number | null;
    last_pending: number | null;
    first_month: number | null;
    last_month: number | null;
    complete_from_ms: number | null;
    has_dirty: boolean;
  }>({
    name: 'find-series',
    text: `SELECT series, spec, back_filled_row >= last_row AS is_back_filled, complete_from_ms, pending, first_pending,
        EXISTS (SELECT 1 FROM rollup_dirty AS q WHERE q.series = rollup_series.series) AS has_dirty,
        last_pending, first_month, last_month
      FROM store LEFT JOIN rollup_series ON spec = $1 AND NOT dropped
      LEFT JOIN LATERAL (
        SELECT coalesce(sum(events), 0)::bigint AS pending, min(first_ms) AS first_pending, max(last_ms) AS last_pending
        FROM rollup_deltas AS d WHERE d.series = rollup_series.series) AS p ON true
      LEFT JOIN LATERAL (
        SELECT min(bucket) AS first_month, max(bucket) AS last_month
        FROM rollups AS r WHERE r.series = rollup_series.series AND level = ${MONTHS_LEVEL}) AS m ON true`,
    values: [canonicalSpec(meter)],
  });
  const row = rows[0];
  const completeFromMs = row?.complete_from_ms ?? undefined;
  if (row === undefined || row.series === null) return { known: undefined, completeFromMs };
  const months = [
    row.first_month,
    row.last_month,
    ...[row.first_pending, row.last_pending].map((atMs) => (atMs === null ? null : bucketOf('month', atMs))),
  ].filter((month) => month !== null);
  const known: Known = {
    series: row.series,
    spec: JSON.parse(row.spec) as SeriesSpec,
    isBackFilled: row.is_back_filled,
    pendingEvents: row.pending,
    hasDirty: row.has_dirty,
    bounds: months.length === 0 ? undefined : [Math.min(...months), Math.max(...months)],
  };
  return { known, completeFromMs };
}

export async function dirtyQuarters(
  client: PgClient,
  series: number,
  subjects?: readonly number[] | undefined,
): Promise<number[]> {
  const { rows } = await client.query<{ quarter: number }>({
    name: 'dirty-quarters',
    text: `SELECT DISTINCT quarter FROM rollup_dirty WHERE series = $1
      AND ($2::bigint[] IS NULL OR subject = ANY($2)) ORDER BY quarter`,
    values: [series, subjects === undefined ? null : numberArray(subjects)],
  });
  return rows.map(({ quarter }) => quarter);
}

async function hasOpenTuples(client: PgClient, { series, spec }: Known, needed: readonly string[]): Promise<boolean> {
  const indexes = needed.map((name) => spec.dimensions.findIndex(([other]) => other === name));
  const { rows } = await client.query<{ open: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM rollup_tuples, unnest($2::integer[]) AS i
       WHERE series = $1 AND is_open AND (texts::json -> i)::text = 'null') AS open`,
    [series, numberArray(indexes)],
  );
  return rows[0]?.open === true;
}

/** The way for what roll-ups do not know. */
async function answerFromEvents(
  client: PgClient,
  { names }: ReadDeps,
  query: GroupedQuery,
  limits: QueryLimits,
  known: Known | undefined,
  completeFromMs: number | undefined,
): Promise<QueryAnswer> {
  refuseExpired(query, known, completeFromMs);
  const subjects = query.subjects && (await names.findIds(client, query.subjects));
  const gather = createEventGather(query, limits);
  let events = 0;
  const range = { eventType: query.meter.eventType, ...rangeOf(query), subjects, isOrdered: true };
  for await (const part of readEventRows(client, range)) {
    const texts = await names.textsOf(
      client,
      part.map(([, subject]) => subject),
    );
    for (const [, subject, timeMs, data] of part) {
      gather.add({ subject: texts.get(subject) as string, timeMs, data });
      await giveWay();
    }
    events += part.length;
  }
  return { rows: toRows(gather.groups(), query), origin: { by: 'events', events, pendingEvents: 0 } };
}

/**
 * A meter that has kept its figures from before events were removed would suddenly have smaller ones; one that was made
 * later counts what was left at its creation, always.
 */
function refuseExpired(query: UsageQuery, known: Known | undefined, completeFromMs: number | undefined): void {
  if (completeFromMs === undefined || known?.bounds === undefined) return;
  if ((rangeOf(query).fromMs ?? Number.NEGATIVE_INFINITY) >= completeFromMs) return;
  if (bucketStartMs('month', known.bounds[0]) < completeFromMs) throw expiredEvents(completeFromMs);
}

async function readAll(reading: Reading): Promise<void> {
  const { query, needsSubject, needsDims } = reading;
  const range = clippedRange(reading);
  if (range === undefined) return;
  const size = largestSize(query.granularity, query.timeZone, needsSubject && needsDims);
  const segments = planAround(range.fromMs, range.toMs, size, reading.dirty);
  const edges: Edge[] = [];
  // Grows where a bucket turns out to be cut by a window of the calendar.
  for (let segment = segments.pop(); segment !== undefined; segment = segments.pop()) {
    if (segment.size === undefined) edges.push(segment);
    else segments.push(...(await readBuckets(reading, segment)));
  }
  for (const { fromMs, toMs } of joined(edges)) await readEdge(reading, fromMs, toMs);
}

type Edge = { fromMs: number; toMs: number };

/** Neighbours as one: each costs some turns to the database. */
function joined(edges: readonly Edge[]): Edge[] {
  const stretches: Edge[] = [];
  for (const { fromMs, toMs } of edges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = stretches.at(-1);
    if (last?.toMs === fromMs) last.toMs = toMs;
    else stretches.push({ fromMs, toMs });
  }
  return stretches;
}

/** What is asked for, cut to the months that have events: the ends of time are no places to walk through. */
function clippedRange({ query, known, dirty }: Reading): { fromMs: number; toMs: number } | undefined {
  // An event that counts again may be the only one of its month.
  const months = dirty.map((quarter) => bucketOf('month', bucketStartMs('quarter', quarter)));
  const [first = Number.POSITIVE_INFINITY, last = Number.NEGATIVE_INFINITY] = known.bounds ?? [];
  const from = Math.min(first, months[0] ?? Number.POSITIVE_INFINITY);
  const to = Math.max(last, months.at(-1) ?? Number.NEGATIVE_INFINITY);
  if (from > to) return undefined;
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = rangeOf(query);
  return {
    fromMs: Math.max(bucketStartMs('month', from), fromMs),
    toMs: Math.min(bucketStartMs('month', to + 1), toMs),
  };
}

type SizedSegment = Extract<Segment, { size: BucketSize }>;

/** @returns what is left to be read in smaller pieces */
async function readBuckets(reading: Reading, { size, first, end }: SizedSegment): Promise<Segment[]> {
  const { client, query, known, gather, subjects, findWindow } = reading;
  const level = levelFor(size, reading.needsSubject, reading.needsDims) as Level;
  const buckets = { level, first, end };
  // Left to the events from the start: what of a bucket was gathered could not be taken back.
  const cut = reading.hasOpen ? await openBuckets(reading, buckets) : new Set<number>();
  const windows = new Map<number, Period>();
  const windowOf = (bucket: number): Period | undefined => {
    const found = windows.get(bucket);
    if (findWindow === undefined || found !== undefined) return found;
    const fromMs = bucketStartMs(size, bucket);
    const window = findWindow(fromMs);
    if (window.fromMs > fromMs || window.toMs < bucketStartMs(size, bucket + 1)) cut.add(bucket);
    windows.set(bucket, window);
    return window;
  };
  const isSummed = !reading.needsSubject && !reading.needsDims && AGGREGATIONS[query.meter.aggregation].isSummed;
  for await (const part of readRows(client, known, buckets, subjects, isSummed)) {
    await learn(
      reading,
      part.map(({ subject }) => subject),
      part.map(({ dims }) => dims),
    );
    for (const { bucket, subject, dims, value, cell } of part) {
      const labels = reading.labels.get(reading.needsDims ? dims : 0);
      if (labels === undefined || labels === OPEN) continue;
      const window = windowOf(bucket);
      if (!cut.has(bucket)) gather.add(window, subject, labels, value, cell);
      await giveWay();
    }
  }
  return [...cut].flatMap((bucket) => refine(size, bucket));
}

/** Reads the names of what the next rows are about. */
async function learn(reading: Reading, subjects: readonly number[], dims: readonly number[]): Promise<void> {
  const { client, deps, query, subjectTexts, labels, judge } = reading;
  if (query.groupBySubject || query.subjectGroups !== undefined) {
    const unknown = subjects.filter((subject) => !subjectTexts.has(subject));
    if (unknown.length > 0)
      for (const [id, text] of await deps.names.textsOf(client, unknown)) subjectTexts.set(id, text);
  }
  const open = reading.needsDims ? dims.filter((tuple) => !labels.has(tuple)) : labels.has(0) ? [] : [0];
  if (open.length === 0) return;
  for (const [id, texts] of await deps.tuples.textsOf(client, open)) labels.set(id, judge(texts));
}

/** Buckets with events whose values the query needs and that are not kept apart. */
async function openBuckets(reading: Reading, buckets: Parameters<typeof rowsSql>[2]): Promise<Set<number>> {
  const { client, known, subjects } = reading;
  const { text, params } = rowsSql(known.series, known.spec, buckets, subjects);
  const { rows } = await client.query<[number, number]>({
    text: `SELECT DISTINCT r.bucket, r.dims FROM (${text}) AS r JOIN rollup_tuples ON tuple_id = r.dims WHERE is_open`,
    values: params,
    rowMode: 'array',
  });
  await learn(
    reading,
    [],
    rows.map(([, dims]) => dims),
  );
  return new Set(rows.filter(([, dims]) => reading.labels.get(dims) === OPEN).map(([bucket]) => bucket));
}

async function readEdge(reading: Reading, fromMs: number, toMs: number): Promise<void> {
  const { client, query, known, gather, subjects, findWindow, completeFromMs, judge } = reading;
  if (completeFromMs !== undefined && fromMs < completeFromMs) throw expiredEvents(completeFromMs);
  const { figure, value, dimensions } = eventReading(known.spec);
  for await (const part of readEventRows(client, { eventType: query.meter.eventType, fromMs, toMs, subjects })) {
    await learn(
      reading,
      part.map(([, subject]) => subject),
      [],
    );
    reading.events += part.length;
    for (const [rowId, subject, timeMs, text] of part) {
      const data = parseData(text);
      const labels = judge(dimensions.map((read) => read(data)));
      const own = figure(data);
      const cell = { n: 1, m: own === null ? 0 : 1, figure: own, atMs: timeMs, rowId, firstMs: timeMs, lastMs: timeMs };
      if (labels !== undefined && labels !== OPEN) {
        gather.add(findWindow?.(timeMs), subject, labels, storableValue(value(data)), cell);
      }
      await giveWay();
    }
  }
}
