import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { readDistinctValue, readNumericValue } from './meter-value.ts';
import type { Aggregation } from './types.ts';

/** Gathers the events of one group in one window. Events must be added in the order of storing. */
export interface Accumulator {
  /** @param value what stands at the value property */
  add(value: unknown, timeMs: number): void;
  /** Plain decimal text; undefined when no event had a usable value. */
  result(): string | undefined;
}

/** Averages are cut to as many fractional digits as the contract's decimal mode keeps. */
const AVG_FRACTION_DIGITS = 19;

/** @param property the meter's value property; unused by count */
export function createAccumulator(aggregation: Aggregation, property = ''): Accumulator {
  switch (aggregation) {
    case 'count':
      return countEvents();
    case 'unique_count':
      return countDistinct();
    case 'latest':
      return keepLatest(property);
    default:
      return foldNumbers(aggregation, property);
  }
}

/** Counts every event; its data does not matter. */
function countEvents(): Accumulator {
  let count = 0;
  return {
    add: () => {
      count++;
    },
    result: () => String(count),
  };
}

function countDistinct(): Accumulator {
  const seen = new Set<string>();
  return {
    add: (value) => {
      const text = readDistinctValue(value);
      if (text !== undefined) seen.add(text);
    },
    result: () => String(seen.size),
  };
}

/** The value with the greatest event time; of equal times the one stored last. Unusable values are passed over. */
function keepLatest(property: string): Accumulator {
  let latest: { decimal: Decimal; timeMs: number } | undefined;
  return {
    add: (value, timeMs) => {
      const read = readNumericValue(value, property);
      if ('decimal' in read && (latest === undefined || timeMs >= latest.timeMs)) {
        latest = { decimal: read.decimal, timeMs };
      }
    },
    result: () => (latest === undefined ? undefined : formatDecimal(latest.decimal)),
  };
}

function foldNumbers(aggregation: 'sum' | 'avg' | 'min' | 'max', property: string): Accumulator {
  let folded: Decimal | undefined;
  let count = 0;
  return {
    add: (value) => {
      const read = readNumericValue(value, property);
      if (!('decimal' in read)) return;
      count++;
      folded = folded === undefined ? read.decimal : fold(aggregation, folded, read.decimal);
    },
    result: () => {
      if (folded === undefined) return undefined;
      const value = aggregation === 'avg' ? folded.dividedBy(count).toDecimalPlaces(AVG_FRACTION_DIGITS) : folded;
      return formatDecimal(value);
    },
  };
}

function fold(aggregation: 'sum' | 'avg' | 'min' | 'max', a: Decimal, b: Decimal): Decimal {
  if (aggregation === 'min') return Decimal.min(a, b);
  if (aggregation === 'max') return Decimal.max(a, b);
  return a.plus(b);
}
