import { Decimal, formatDecimal } from '../../../../platform/decimal.ts';
import type { Aggregation } from '../../types.ts';
import { type Figure, figureFold } from './figure.ts';

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

/** Adds one cell to another of the same series. The order of merging does not matter. */
export function cellMerger(aggregation: Aggregation): MergeCells {
  const fold = figureFold(aggregation);
  return (into, from) => {
    into.n += from.n;
    into.m += from.m;
    if (from.firstMs < into.firstMs) into.firstMs = from.firstMs;
    if (from.lastMs > into.lastMs) into.lastMs = from.lastMs;
    if (from.figure === null) return;
    if (aggregation === 'latest') {
      const isLater = from.atMs > into.atMs || (from.atMs === into.atMs && from.rowId > into.rowId);
      if (into.figure !== null && !isLater) return;
      into.figure = from.figure;
      into.atMs = from.atMs;
      into.rowId = from.rowId;
    } else {
      into.figure = into.figure === null ? from.figure : fold(into.figure, from.figure);
    }
  };
}

/** Averages are cut to as many fractional digits as the contract's decimal mode keeps. */
const AVG_FRACTION_DIGITS = 19;

/**
 * The answer for a group, as plain decimal text; undefined when no event had a usable value.
 * @param distinct how many values unique_count has seen
 */
export function cellResult(aggregation: Aggregation, cell: Cell, distinct: number): string | undefined {
  if (aggregation === 'count') return String(cell.n);
  if (aggregation === 'unique_count') return String(distinct);
  if (cell.figure === null) return undefined;
  const figure = new Decimal(cell.figure);
  if (aggregation !== 'avg') return formatDecimal(figure);
  return formatDecimal(figure.dividedBy(cell.m).toDecimalPlaces(AVG_FRACTION_DIGITS));
}
