import { type Message, ONLY_HOLDS, type Sized, TooLarge } from './messages.ts';
import type { KeyValue } from './otlp-messages.ts';
import { attributesOf, doubleOf, integerOf, nanosOf, resourceOf, scopeOf } from './values.ts';

/** The five kinds of data in a metric, by their fields. */
const KINDS = {
  sum: 'sum',
  gauge: 'gauge',
  histogram: 'histogram',
  exponentialHistogram: 'exponential_histogram',
  summary: 'summary',
} as const;
/** opentelemetry-proto, AggregationTemporality; JSON may have the names. */
const TEMPORALITIES: Readonly<Record<string, 'delta' | 'cumulative'>> = {
  1: 'delta',
  2: 'cumulative',
  AGGREGATION_TEMPORALITY_DELTA: 'delta',
  AGGREGATION_TEMPORALITY_CUMULATIVE: 'cumulative',
};
/** A point that says only that there is none. */
const NO_VALUE = 1;

export interface Metric {
  readonly name: string;
  readonly description?: string;
  readonly unit: string;
  readonly type: (typeof KINDS)[keyof typeof KINDS];
  /** Of sums and histograms; undefined = none, or not told. */
  readonly temporality?: 'delta' | 'cumulative' | undefined;
  readonly is_monotonic?: boolean;
}

/** As mappings see it. */
export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Nanoseconds since 1970 as a text; 0 = it is not told. */
  readonly start_time_unix_nano: string;
  readonly time_unix_nano: string;
  /** Of sums and gauges; a text where a number cannot hold all digits; null = NaN or infinite. */
  readonly value?: number | string | null;
  /** Of histograms and summaries. */
  readonly count?: number | string;
  readonly sum?: number | string | null;
  readonly min?: number | string | null;
  readonly max?: number | string | null;
}

/** One data point, with what it belongs to. */
export interface MetricPoint {
  readonly resource: { readonly attributes: Readonly<Record<string, unknown>> };
  readonly scope: Readonly<Record<string, unknown>>;
  readonly metric: Metric;
  readonly point: Point;
  /** It cannot be taken, and why. */
  readonly problem?: string;
}

interface WirePoint {
  readonly attributes?: readonly KeyValue[] | null;
  readonly startTimeUnixNano?: unknown;
  readonly timeUnixNano?: unknown;
  readonly asDouble?: number | string | null;
  readonly asInt?: unknown;
  readonly count?: unknown;
  readonly sum?: number | string | null;
  readonly min?: number | string | null;
  readonly max?: number | string | null;
  readonly flags?: number | null;
}

/** The data points of one request, in its order; those without a value are passed over. @throws Error when it is broken */
export function* metricPointsOf(request: Message): Generator<Sized<MetricPoint>> {
  for (const resourceMetrics of request.each('resourceMetrics')) {
    const resource = resourceOf(resourceMetrics.head()['resource']);
    yield ONLY_HOLDS;
    for (const scopeMetrics of resourceMetrics.each('scopeMetrics')) {
      yield ONLY_HOLDS;
      const scope = scopeOf(scopeMetrics.head()['scope']);
      for (const message of scopeMetrics.each('metrics')) {
        yield ONLY_HOLDS;
        const head = message.head();
        for (const [field, type] of Object.entries(KINDS)) {
          for (const data of message.each(field))
            yield* pointsOf(data, { resource, scope, metric: metricOf(head, type, data) });
        }
      }
    }
  }
}

function metricOf(head: Readonly<Record<string, unknown>>, type: Metric['type'], data: Message): Metric {
  const { name, description, unit } = head;
  const { aggregationTemporality, isMonotonic } = data.head();
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  // What a summary counts, it counts from its start; there is no other kind.
  const temporality = type === 'summary' ? 'cumulative' : TEMPORALITIES[String(aggregationTemporality)];
  return {
    name: text(name),
    ...(text(description) !== '' && { description: text(description) }),
    unit: text(unit),
    type,
    ...(type !== 'gauge' && { temporality }),
    ...(type === 'sum' && { is_monotonic: isMonotonic === true }),
  };
}

type Surroundings = Pick<MetricPoint, 'resource' | 'scope' | 'metric'>;

function* pointsOf(data: Message, surroundings: Surroundings): Generator<Sized<MetricPoint>> {
  for (const message of data.each('dataPoints')) {
    const { bytes } = message;
    const read = readPoint(message, surroundings.metric);
    if (read === undefined) continue;
    if (typeof read !== 'string') yield { bytes, item: { ...surroundings, point: read } };
    else {
      const point = { attributes: {}, start_time_unix_nano: '0', time_unix_nano: '0' };
      yield { bytes, item: { ...surroundings, point, problem: read } };
    }
  }
}

/** @returns undefined when there is no value, a text when it is refused */
function readPoint(message: Message, { type }: Metric): Point | string | undefined {
  try {
    const wire = message.whole() as WirePoint;
    if (((wire.flags ?? 0) & NO_VALUE) !== 0) return undefined;
    return { ...standingOf(wire), ...(type === 'sum' || type === 'gauge' ? numberOf(wire) : countedOf(wire)) };
  } catch (error) {
    if (error instanceof TooLarge || error instanceof TypeError) return `the point cannot be taken: ${error.message}`;
    throw error;
  }
}

function standingOf(wire: WirePoint) {
  return {
    attributes: attributesOf(wire.attributes),
    start_time_unix_nano: nanosOf(own(wire, 'startTimeUnixNano')),
    time_unix_nano: nanosOf(own(wire, 'timeUnixNano')),
  };
}

function numberOf(wire: WirePoint): Pick<Point, 'value'> {
  const integer = own(wire, 'asInt');
  if (integer !== undefined) return { value: integerOf(String(integer)) };
  return { value: doubleOf(own(wire, 'asDouble') as number | string | undefined) };
}

function countedOf(wire: WirePoint) {
  const [sum, min, max] = [own(wire, 'sum'), own(wire, 'min'), own(wire, 'max')] as (number | string | undefined)[];
  return {
    count: integerOf(nanosOf(own(wire, 'count'))),
    ...(sum !== undefined && { sum: doubleOf(sum) }),
    ...(min !== undefined && { min: doubleOf(min) }),
    ...(max !== undefined && { max: doubleOf(max) }),
  };
}

/** A message that was decoded has defaults on its prototype; its own are what was sent. */
function own(wire: WirePoint, name: keyof WirePoint): unknown {
  return Object.hasOwn(wire, name) ? (wire[name] ?? undefined) : undefined;
}
