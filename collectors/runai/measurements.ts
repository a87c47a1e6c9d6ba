import { productOf, quotientOf, sumOf } from '../mapping/decimals.ts';
import type { ApiAnswer, RunaiApi } from './api.ts';
import { ApiFailure } from './http.ts';
import { instantOf, isObject } from './resources.ts';
import { lengthOf, type Slice, type Span } from './slices.ts';

/** A metric's mean as a decimal text; of what is measured for each GPU, by the GPU. */
export type Values = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

export interface Measured {
  readonly values: Values;
  /** Every metric was answered for, and one at least has a value. */
  readonly isWhole: boolean;
}

/** More than any scraper gives; a mean of these is weighed by time. */
const SAMPLE_MS = 5000;
/** In one answer: nine metrics of eight GPUs are then half a megabyte. */
const MAX_SAMPLES = 120;
/** As many as other clients ask for at once. */
const METRICS_A_REQUEST = 9;
/** A pod may have so many GPUs; a server that makes labels up must not fill an event. */
const MAX_LABELS = 64;
/** Sums and products of these keep all of their digits. */
const QUANTITY = /^\d{1,20}(?:\.\d{1,20})?$/;

/** One request's span, evenly sampled, and the parts that its samples are for. */
interface Ask extends Span {
  readonly samples: number;
  readonly parts: readonly Span[];
}

/**
 * The means of metrics while a resource ran, for each of some slices. Samples stand at the same instants however many slices
 * are asked for at once, so that catching up gives what asking in time would have given.
 * @throws ApiFailure when time may mend it
 */
export async function measure(
  api: RunaiApi,
  path: string,
  metrics: readonly string[],
  slices: readonly Slice[],
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  const tallies = new Map<Span, Tally>();
  for (const ask of asksOf(slices)) {
    for (const part of ask.parts) tallies.set(part, { isWhole: true, values: new Map() });
    for (let first = 0; first < metrics.length; first += METRICS_A_REQUEST) {
      const types = metrics.slice(first, first + METRICS_A_REQUEST);
      count(await answerOf(api, path, types, ask, signal), types, ask, tallies);
    }
  }
  return slices.map(({ parts }) => meansOf(parts, tallies));
}

interface Tally {
  isWhole: boolean;
  /** By metric and, behind a space, GPU. */
  readonly values: Map<string, unknown[]>;
}

/** Neighbours that ran throughout are asked for at once; what is shorter, by itself. */
function asksOf(slices: readonly Slice[]): Ask[] {
  const asks: Ask[] = [];
  for (const slice of slices) {
    for (const part of slice.parts) {
      const lengthMs = part.endMs - part.startMs;
      const isEven = part.startMs === slice.startMs && part.endMs === slice.endMs && lengthMs % SAMPLE_MS === 0;
      const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.floor(lengthMs / SAMPLE_MS)));
      const last = asks.at(-1);
      const joins =
        isEven &&
        last?.endMs === part.startMs &&
        last.samples + samples <= MAX_SAMPLES &&
        last.samples * SAMPLE_MS === last.endMs - last.startMs;
      if (joins) asks[asks.length - 1] = joined(last, part, samples);
      else asks.push({ ...part, samples, parts: [part] });
    }
  }
  return asks;
}

function joined(ask: Ask, part: Span, samples: number): Ask {
  return { ...ask, endMs: part.endMs, samples: ask.samples + samples, parts: [...ask.parts, part] };
}

async function answerOf(
  api: RunaiApi,
  path: string,
  types: readonly string[],
  { startMs, endMs, samples }: Ask,
  signal: AbortSignal,
): Promise<ApiAnswer | undefined> {
  const query = {
    metricType: types.join(','),
    start: new Date(startMs).toISOString(),
    end: new Date(endMs).toISOString(),
    numberOfSamples: String(samples),
  };
  try {
    return await api.get(path, query, signal);
  } catch (error) {
    if (error instanceof ApiFailure && error.isForGood) return undefined;
    throw error;
  }
}

function count(
  answer: ApiAnswer | undefined,
  types: readonly string[],
  ask: Ask,
  tallies: ReadonlyMap<Span, Tally>,
): void {
  const body = isObject(answer?.body) ? answer.body : {};
  const measurements = Array.isArray(body['measurements']) ? (body['measurements'] as unknown[]) : [];
  const answered = new Set<string>();
  for (const measurement of measurements) {
    if (!isObject(measurement)) continue;
    const { type, labels, values } = measurement;
    if (typeof type !== 'string' || !types.includes(type) || !Array.isArray(values)) continue;
    answered.add(type);
    const gpu = isObject(labels) ? labels['gpu'] : undefined;
    const key = typeof gpu === 'string' && gpu.length <= 64 ? `${type} ${gpu}` : type;
    for (const sample of values as unknown[]) countSample(sample, key, ask, tallies);
  }
  const isWhole = answer?.status === 200 && types.every((type) => answered.has(type));
  if (!isWhole) for (const part of ask.parts) tallyOf(tallies, part).isWhole = false;
}

function countSample(sample: unknown, key: string, { parts }: Ask, tallies: ReadonlyMap<Span, Tally>): void {
  if (!isObject(sample)) return;
  const atMs = instantOf(sample['timestamp']);
  const value = decimal(sample['value']);
  if (atMs === undefined || value === undefined) return;
  // A sample tells of the time before it. The ends of a part that is no whole slice may have been rounded by the server.
  const part =
    parts.length === 1 ? near(parts[0] as Span, atMs) : parts.find((one) => atMs > one.startMs && atMs <= one.endMs);
  if (part === undefined) return;
  const { values } = tallyOf(tallies, part);
  const known = values.get(key);
  if (known !== undefined) {
    if (known.length < MAX_SAMPLES * 2) known.push(value);
  } else if (values.size < MAX_LABELS * METRICS_A_REQUEST) values.set(key, [value]);
}

const ROUNDING_MS = 1000;
function near(part: Span, atMs: number): Span | undefined {
  const isWhole = part.startMs % ROUNDING_MS === 0 && part.endMs % ROUNDING_MS === 0;
  const leewayMs = isWhole ? 0 : ROUNDING_MS;
  return atMs > part.startMs - leewayMs && atMs <= part.endMs + leewayMs ? part : undefined;
}

function tallyOf(tallies: ReadonlyMap<Span, Tally>, part: Span): Tally {
  const tally = tallies.get(part);
  if (tally === undefined) throw new Error('each part has been asked for');
  return tally;
}

/** NaN, infinities, less than nothing and whatever else is no quantity are not known. To twenty places, as all means are. */
function decimal(value: unknown): string | undefined {
  try {
    const text = quotientOf(value, '1');
    return QUANTITY.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Parts weigh by their length; one of which a metric says nothing does not weigh. */
function meansOf(parts: readonly Span[], tallies: ReadonlyMap<Span, Tally>): Measured {
  const own = parts.map((part) => ({ part, tally: tallyOf(tallies, part) }));
  const keys = new Set(own.flatMap(({ tally }) => [...tally.values.keys()]));
  const values: Record<string, string | Record<string, string>> = {};
  for (const key of keys) {
    const known = own.filter(({ tally }) => tally.values.has(key));
    const weighted = known.map(({ part, tally }) => {
      const samples = tally.values.get(key) ?? [];
      return quotientOf(productOf(sumOf(samples), lengthOf([part])), samples.length);
    });
    const mean = quotientOf(sumOf(weighted), lengthOf(known.map(({ part }) => part)));
    put(values, key, mean);
  }
  return { values, isWhole: keys.size > 0 && own.every(({ tally }) => tally.isWhole) };
}

function put(values: Record<string, string | Record<string, string>>, key: string, mean: string): void {
  const space = key.indexOf(' ');
  if (space === -1) {
    values[key] = mean;
    return;
  }
  const type = key.slice(0, space);
  const known = values[type];
  const gpus = typeof known === 'object' ? known : (Object.create(null) as Record<string, string>);
  gpus[key.slice(space + 1)] = mean;
  values[type] = gpus;
}
