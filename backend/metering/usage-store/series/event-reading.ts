import { createHash } from 'node:crypto';
import { type Figure, toFigure } from '../aggregations/figure.ts';
import { AGGREGATIONS } from '../aggregations/index.ts';
import { numberOf } from '../aggregations/value-reading.ts';
import { compileJsonPath } from '../json-path.ts';
import { readDimensionValue, readDistinctValue } from '../meter-value.ts';
import type { SeriesSpec } from './series-spec.ts';

/** What a series takes from an event's data. */
export interface EventReading {
  /** null: nothing usable, or the aggregation needs none. */
  figure(data: unknown): Figure | null;
  /** What unique_count tells apart; empty when the value does not count or the aggregation needs none. */
  value(data: unknown): string;
  /** The value of each dimension, in the order of their names. */
  dimensions: readonly ((data: unknown) => string)[];
}

/** Distinct values stand in keys; longer ones by their hash. */
const MAX_VALUE_LENGTH = 64;

export function eventReading(spec: SeriesSpec): EventReading {
  const { aggregation, valueProperty } = spec;
  const read = valueProperty === null ? () => undefined : compileJsonPath(valueProperty);
  const { takes } = AGGREGATIONS[aggregation].reading;
  return {
    figure: takes === 'number' ? (data) => readFigure(read(data), valueProperty ?? '') : () => null,
    value: takes === 'text' ? (data) => distinctKey(readDistinctValue(read(data))) : () => '',
    dimensions: spec.dimensions.map(([, path]) => {
      const readPath = compileJsonPath(path);
      return (data) => {
        const found = readPath(data);
        return readDimensionValue(found);
      };
    }),
  };
}

function readFigure(value: unknown, property: string): Figure | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const number = numberOf(value, property);
  return number === undefined ? null : toFigure(number);
}

/** The mark before the text keeps an empty value apart from none. */
function distinctKey(text: string | undefined): string {
  if (text === undefined) return '';
  // A text with half a surrogate would not come back from the database as it was.
  if (text.length <= MAX_VALUE_LENGTH && text.isWellFormed()) return `=${text}`;
  return `#${createHash('sha256').update(text, 'utf16le').digest('base64url')}`;
}
