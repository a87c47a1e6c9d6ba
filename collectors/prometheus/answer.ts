import { MalformedAnswer } from './malformed-answer.ts';
import { splitAnswer } from './split-answer.ts';

/** One series with its value at an instant. */
export interface Valued {
  readonly metric: Labels;
  /** As it came: seconds since 1970 and the digits. */
  readonly value: readonly [number, string];
}

/** One series with its raw samples, in the order of time. */
export interface Sampled {
  readonly metric: Labels;
  readonly values: readonly (readonly [number, string])[];
}

export type Labels = Readonly<Record<string, string>>;

/** An answer of the query API. Series are read one by one, and again each time that they are asked for. */
export type Answer =
  | { readonly kind: 'values'; readonly series: Iterable<Valued | OddSeries>; readonly warnings: readonly string[] }
  | { readonly kind: 'samples'; readonly series: Iterable<Sampled>; readonly warnings: readonly string[] }
  | { readonly kind: 'text' };

/** A series without a value that could be billed. */
export interface OddSeries {
  readonly metric: Labels;
  readonly odd: string;
}

/** The last instant that a date can be. */
const MAX_SECONDS = 8_640_000_000_000;
/** Of a number as Prometheus writes it: the smallest has 325 digits behind the point. */
const MAX_DIGITS = 400;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;
/** Notes on the expression, which are there each time; whatever else is a warning says that something is missing. */
const NOTE = /^PromQL (?:info|warning):/;

/** @throws MalformedAnswer here, or while series are read */
export function readAnswer(body: Buffer): Answer {
  const { frame, items } = splitAnswer(body);
  const { status, data, warnings } = objectOf(frame);
  const { resultType } = objectOf(data);
  if (status !== 'success') throw new MalformedAnswer('the answer is no success');
  const said = (Array.isArray(warnings) ? warnings : []).filter((one) => typeof one === 'string' && !NOTE.test(one));
  switch (resultType) {
    case 'vector':
      return { kind: 'values', series: each(items, valuedOf), warnings: said as string[] };
    case 'matrix':
      return { kind: 'samples', series: each(items, sampledOf), warnings: said as string[] };
    case 'scalar': {
      const pair = pairOf([...items].map(parsed));
      return { kind: 'values', series: [plain({}, pair)], warnings: said as string[] };
    }
    case 'string':
      return { kind: 'text' };
    default:
      throw new MalformedAnswer('the answer has a result of an unknown type');
  }
}

/** A number with its digits, and neither NaN nor infinite. */
export function isNumber(text: string): boolean {
  return text.length <= MAX_DIGITS && NUMBER.test(text);
}

function each<T>(items: Iterable<string>, read: (item: unknown) => T): Iterable<T> {
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield read(parsed(item));
    },
  };
}

function valuedOf(item: unknown): Valued | OddSeries {
  const { metric, value, histogram } = objectOf(item);
  const labels = labelsOf(metric);
  if (value === undefined && histogram !== undefined) return { metric: labels, odd: 'is a native histogram' };
  return plain(labels, pairOf(value));
}

function plain(metric: Labels, value: readonly [number, string]): Valued | OddSeries {
  return isNumber(value[1]) ? { metric, value } : { metric, odd: `has the value ${value[1].slice(0, 20)}` };
}

function sampledOf(item: unknown): Sampled {
  const { metric, values } = objectOf(item);
  const pairs = (Array.isArray(values) ? values : []).map(pairOf);
  return { metric: labelsOf(metric), values: pairs };
}

function labelsOf(value: unknown): Labels {
  const labels = objectOf(value);
  if (Object.values(labels).every((text) => typeof text === 'string')) return labels as Labels;
  throw new MalformedAnswer('a label of the answer is no text');
}

function pairOf(value: unknown): readonly [number, string] {
  if (Array.isArray(value) && value.length === 2) {
    const [at, text] = value as unknown[];
    if (typeof at === 'number' && Math.abs(at) <= MAX_SECONDS && typeof text === 'string') return [at, text];
  }
  throw new MalformedAnswer('a value of the answer is no pair of an instant and a text');
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new MalformedAnswer('the answer is not what the query API answers');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedAnswer('the answer is no JSON');
  }
}
