import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { Figure } from './figure.ts';

/** What some events add up to for one aggregation; parts that the aggregation does not use stay at rest. */
export interface Cell {
  /** Events. */
  n: number;
  /** Usable values. */
  m: number;
  /** Sum, minimum, maximum or latest value; null while there is no usable one. */
  figure: Figure | null;
  /** Time and row of the latest value. */
  atMs: number;
  rowId: number;
  firstMs: number;
  lastMs: number;
}

export type MergeCells = (into: Cell, from: Cell) => void;

/** The part of merging that all aggregations have. */
export const mergeCounts: MergeCells = (into, from) => {
  into.n += from.n;
  into.m += from.m;
  if (from.firstMs < into.firstMs) into.firstMs = from.firstMs;
  if (from.lastMs > into.lastMs) into.lastMs = from.lastMs;
};

/** Merges cells whose figures become one. */
export function mergeFolding(fold: (a: Figure, b: Figure) => Figure): MergeCells {
  return (into, from) => {
    mergeCounts(into, from);
    if (from.figure !== null) into.figure = into.figure === null ? from.figure : fold(into.figure, from.figure);
  };
}

/** The figure as it is. */
export function figureOf({ figure }: Cell): string | undefined {
  return figure === null ? undefined : formatDecimal(new Decimal(figure));
}
