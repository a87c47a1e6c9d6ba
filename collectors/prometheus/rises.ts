import { Decimal } from 'decimal.js';
import { isNumber } from './answer.ts';

/** The last sample of a series that has been counted. Milliseconds since 1970, and the digits as they came. */
export interface Sample {
  readonly atMs: number;
  readonly value: string;
}

/** What the samples of a series say, one after another. */
export interface Risen {
  /** What it rose by; a decimal without an exponent. */
  readonly rise: Decimal;
  /** The first sample of a series that nobody has seen before: what of it counts is not decided here. */
  readonly first: Sample | undefined;
  readonly last: Sample | undefined;
  /** Samples that are no quantities: NaN, infinite, below zero. */
  readonly odd: number;
}

// The largest and the smallest double have some 640 digits between them: sums are never rounded.
const Exact = Decimal.clone({ precision: 1000, toExpNeg: -1000, toExpPos: 1000 });

export const NOTHING: Decimal = new Exact(0);

/**
 * Counts the rises between samples. A fall says that the counter began anew, and so counts the new value whole. Nothing is
 * extrapolated; what no scrape saw for a while is made up by the next sample.
 */
export function risesOf(
  before: Sample | undefined,
  values: readonly (readonly [number, string])[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Risen {
  let [first, last, rise, odd]: [Sample | undefined, Sample | undefined, Decimal, number] = [
    undefined,
    before,
    NOTHING,
    0,
  ];
  for (const [at, value] of values) {
    const atMs = Math.round(at * 1000);
    // What is ahead of what was asked for would make us deaf until then.
    if (atMs <= Math.max(fromMs, last?.atMs ?? fromMs) || atMs > toMs) continue;
    if (!isNumber(value) || value.startsWith('-')) {
      odd++;
      continue;
    }
    if (last === undefined) first = { atMs, value };
    else {
      const [now, then] = [new Exact(value), new Exact(last.value)];
      rise = rise.plus(now.gte(then) ? now.minus(then) : now);
    }
    last = { atMs, value };
  }
  return { rise, first, last, odd };
}

export function plus(sum: Decimal, text: string): Decimal {
  return sum.plus(new Exact(text));
}
