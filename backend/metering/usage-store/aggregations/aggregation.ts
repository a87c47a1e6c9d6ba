import type { Cell, MergeCells } from './cell.ts';
import type { Figure } from './figure.ts';
import type { ValueReading } from './value-reading.ts';

/** Gathers the events of one group in one window. Events must be added in the order of storing. */
export interface Accumulator {
  /** @param value what stands at the value property */
  add(value: unknown, timeMs: number): void;
  /** Plain decimal text; undefined when no event had a usable value. */
  result(): string | undefined;
}

/**
 * How the usage of stretches adds up. `additive`: sums and counts. `distinct`: a value seen in two stretches of a usage
 * period counts once, so only the whole period up to an instant can be asked for. `latest`: the last value counts.
 */
export type UsageKind = 'additive' | 'distinct' | 'latest';

/** What a row of the roll-ups keeps of its events, beside their number: each engine has one way of adding to each. */
export type Keeping = 'counts' | 'sum' | 'min' | 'max' | 'latest';

/** Everything that is true of one aggregation. */
export interface AggregationRules {
  /** What is taken from each event. */
  readonly reading: ValueReading;
  readonly keeping: Keeping;
  /** The figure of an ungrouped query over no event; undefined where there is none. */
  readonly ofNothing: '0' | undefined;
  /** Whether numbers of events and figures of several cells may simply be added up, as a database does it. */
  readonly isSummed: boolean;
  /** The figure of several groups or windows from theirs; undefined where it does not follow from them. */
  readonly foldFigures: ((a: Figure, b: Figure) => Figure) | undefined;
  /** How quotas and bills use it; undefined: they cannot. */
  readonly usageKind: UsageKind | undefined;
  /** Whether the value from the start of a period can only be continued, not revised, by what comes later. */
  readonly canSplit: boolean;
  /** @param property the meter's value property, for what is said of values */
  accumulate(property: string): Accumulator;
  /** Adds one cell to another of the same series. The order of merging does not matter. */
  readonly merge: MergeCells;
  /**
   * The answer for a group, as plain decimal text; undefined when no event had a usable value.
   * @param distinct how many values were told apart
   */
  result(cell: Cell, distinct: number): string | undefined;
}
