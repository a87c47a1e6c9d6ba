import type { CursorChange, Refusal, SourceContext, SourceRecord } from '../core/source.ts';
import { sumOf } from '../mapping/decimals.ts';
import type { Sized } from './messages.ts';
import { type MetricPoint, metricPointsOf } from './metric-points.ts';
import { METRICS_REQUEST } from './otlp-messages.ts';
import { openSeriesTotals, type SeriesTotals, seriesIdOf, type Total } from './series.ts';
import type { Signal } from './signal.ts';
import { instantOf } from './values.ts';

/** Decoded, counted and committed at once. */
const PIECE_POINTS = 2000;
const PIECE_BYTES = 512 * 1024;
const NANOS = /^\d{1,20}$/;

/** What is to be stored of one point. */
interface Made {
  readonly record?: SourceRecord;
  readonly change?: CursorChange | undefined;
}

/**
 * Metrics, a message for each data point: `{resource, scope, metric, point, increase}`. `increase` is what has to be billed
 * of sums that only rise and of histograms: of delta points what they say, once by their series and times; of cumulative ones
 * what came since the last point of the same start, so that points that are sent again or late count nothing.
 */
export function createMetrics(context: Pick<SourceContext, 'tryTake' | 'cursor' | 'clock'>, maxSeries: number): Signal {
  const totals = openSeriesTotals(context.cursor, context.clock, maxSeries);
  // One piece at a time: what has come since depends on what was kept before.
  let turn: Promise<unknown> = Promise.resolve();

  async function takePiece(points: readonly MetricPoint[]): Promise<readonly Refusal[]> {
    const made = points.map((point) => madeOf(point, totals, maxSeries));
    const records = made.flatMap(({ record }) => (record === undefined ? [] : [record]));
    const cursor = [...made.flatMap(({ change }) => (change === undefined ? [] : [change])), ...totals.upkeep()];
    let areKept = false;
    try {
      const { refusals } = await context.tryTake({ records, cursor });
      areKept = true;
      return refusals;
    } finally {
      totals.settled(areKept);
    }
  }

  const metrics: Signal<MetricPoint> = {
    name: 'metrics',
    request: METRICS_REQUEST,
    rejected: 'rejectedDataPoints',
    itemsOf: metricPointsOf,
    async take(items, check) {
      const refusals: Refusal[] = [];
      let isChecked = false;
      for (const { points, isLast } of piecesOf(items)) {
        if (!isLast && !isChecked) await check();
        isChecked = true;
        const taking = turn.then(() => takePiece(points));
        turn = taking.catch(() => undefined);
        refusals.push(...(await taking));
      }
      return refusals;
    },
  };
  return metrics as Signal;
}

interface Piece {
  readonly points: readonly MetricPoint[];
  readonly isLast: boolean;
}

function* piecesOf(items: Iterable<Sized<MetricPoint>>): Generator<Piece> {
  let points: MetricPoint[] = [];
  let bytes = 0;
  for (const { item, bytes: more } of items) {
    if (points.length >= PIECE_POINTS || bytes >= PIECE_BYTES) {
      yield { points, isLast: false };
      points = [];
      bytes = 0;
    }
    bytes += more;
    if (item !== undefined) points.push(item);
  }
  yield { points, isLast: true };
}

function madeOf(point: MetricPoint, totals: SeriesTotals, maxSeries: number): Made {
  const problem = point.problem ?? problemOf(point);
  if (problem !== undefined) return { record: recordOf(point, {}, problem) };
  const { type, temporality, is_monotonic: isMonotonic } = point.metric;
  // A level: what has to be billed of it, a meter says (its highest, its last).
  if (type === 'gauge' || (type === 'sum' && isMonotonic !== true)) return { record: recordOf(point, {}) };
  const total = totalOf(point);
  if (total === undefined) return { record: recordOf(point, {}, 'the value is no quantity') };
  if (temporality === 'delta') return { record: recordOf(point, { increase: told(point, total) }) };
  const since = totals.since(point, total);
  if (since.kind === 'too many') return { record: recordOf(point, {}, `there are more than ${maxSeries} series`) };
  if (since.kind === 'none') return { change: since.change };
  const { increase, change } = since;
  // Nothing has happened, and most series are like that most of the time.
  if (increase.count === '0') return { change };
  return { record: recordOf(point, { increase: told(point, increase) }), change };
}

function problemOf({ metric, point }: MetricPoint): string | undefined {
  if (metric.name === '') return 'the metric has no name';
  if (!NANOS.test(point.time_unix_nano) || /^0+$/.test(point.time_unix_nano)) return 'the point has no time';
  if (!NANOS.test(point.start_time_unix_nano)) return 'the start of the point is no time';
  if (metric.type !== 'gauge' && metric.temporality === undefined) return 'the temporality must be delta or cumulative';
  return undefined;
}

function totalOf({ metric, point }: MetricPoint): Total | undefined {
  try {
    const count = sumOf([metric.type === 'sum' ? point.value : point.count]);
    // What only rises cannot be less than nothing.
    if (count.startsWith('-')) return undefined;
    const sum = point.sum === undefined ? undefined : sumOf([point.sum]);
    return { count, sum };
  } catch {
    return undefined;
  }
}

function told({ metric }: MetricPoint, { count, sum }: Total): unknown {
  return metric.type === 'sum' ? count : { count, ...(sum !== undefined && { sum }) };
}

function recordOf(
  given: MetricPoint,
  increase: { readonly increase?: unknown },
  problem?: string | undefined,
): SourceRecord {
  const { resource, scope, metric, point } = given;
  const { start_time_unix_nano: start, time_unix_nano: time } = point;
  return {
    message: { resource, scope, metric, point, ...increase },
    ...(problem !== undefined && { problem }),
    at: instantOf(time),
    parts: ['metric', seriesIdOf(given, start), time],
  };
}
