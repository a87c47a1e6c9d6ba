import { type Decimal, formatDecimal } from '../../../platform/decimal.ts';
import { readDistinctValue, readNumericValue } from '../meter-value.ts';

/** How an aggregation reads what stands at the meter's value property. */
export interface ValueReading {
  /** What series keep of each event. */
  readonly takes: 'nothing' | 'number' | 'text';
  /** What an event adds to the figure, as text, where there is something to show; undefined when it adds nothing. */
  contribution(value: unknown, property: string): { value: string | undefined } | undefined;
  /** Why the value is not usable, in the contract's words; undefined when it is. */
  problem(value: unknown, property: string): string | undefined;
}

/** The event itself counts; a meter has no value property then. */
export const readsNothing: ValueReading = {
  takes: 'nothing',
  contribution: () => ({ value: undefined }),
  problem: () => undefined,
};

export const readsNumber: ValueReading = {
  takes: 'number',
  contribution: (value, property) => {
    const number = numberOf(value, property);
    return number === undefined ? undefined : { value: formatDecimal(number) };
  },
  problem: (value, property) => {
    const read = readNumericValue(value, property);
    return 'problem' in read ? read.problem : undefined;
  },
};

export const readsText: ValueReading = {
  takes: 'text',
  contribution: (value) => {
    const text = readDistinctValue(value);
    return text === undefined ? undefined : { value: text };
  },
  // A missing value is a problem to tell, and one value more all the same.
  problem: (value, property) => {
    if (value === undefined) return `invalid event: missing value property: "${property}"`;
    return value === null ? 'invalid event: value cannot be null' : undefined;
  },
};

/** The number in a value; undefined when it is none. */
export function numberOf(value: unknown, property: string): Decimal | undefined {
  const read = readNumericValue(value, property);
  return 'decimal' in read ? read.decimal : undefined;
}
