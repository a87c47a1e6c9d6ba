import type { Cell } from '../../aggregations/cell.ts';
import type { Figure } from '../../aggregations/figure.ts';
import { AGGREGATIONS } from '../../aggregations/index.ts';
import type { Aggregation } from '../../types.ts';

/** What events add to a series, one entry each, in columns. */
export interface Contributions {
  length: number;
  timeMs: Float64Array;
  /** name_id */
  subject: Int32Array;
  /** tuple_id; 0 for a series without dimensions */
  dims: Int32Array;
  /** For what keeps the latest only. */
  rowId: Float64Array | undefined;
  /** For what reads numbers; null where the value is unusable. */
  figures: readonly (Figure | null)[] | undefined;
  /** For what reads texts. */
  values: readonly string[] | undefined;
}

/** Contributions while they are being gathered. */
export interface ContributionList {
  timeMs: number[];
  subject: number[];
  dims: number[];
  rowId: number[];
  figures: (Figure | null)[];
  values: string[];
}

export function emptyList(): ContributionList {
  return { timeMs: [], subject: [], dims: [], rowId: [], figures: [], values: [] };
}

const HEADER_BYTES = 8;

/**
 * As bytes: the number of entries, the columns of numbers, then the figures or values as JSON. 16 bytes an event for
 * count. In the byte order of the machine, as all files of this kind in the store.
 */
export function encodeContributions(aggregation: Aggregation, list: ContributionList): Uint8Array {
  const { length } = list.timeMs;
  const hasRows = AGGREGATIONS[aggregation].keeping === 'latest';
  const tail = Buffer.from(tailOf(aggregation, list));
  const bytes = new Uint8Array(HEADER_BYTES + length * (hasRows ? 24 : 16) + tail.length);
  const { buffer } = bytes;
  new Uint32Array(buffer, 0, 1)[0] = length;
  let at = HEADER_BYTES;
  new Float64Array(buffer, at, length).set(list.timeMs);
  at += length * 8;
  if (hasRows) {
    new Float64Array(buffer, at, length).set(list.rowId);
    at += length * 8;
  }
  new Int32Array(buffer, at, length).set(list.subject);
  new Int32Array(buffer, at + length * 4, length).set(list.dims);
  bytes.set(tail, at + length * 8);
  return bytes;
}

function tailOf(aggregation: Aggregation, list: ContributionList): string {
  const { takes } = AGGREGATIONS[aggregation].reading;
  if (takes === 'nothing') return '';
  return JSON.stringify(takes === 'text' ? list.values : list.figures);
}

export function decodeContributions(aggregation: Aggregation, bytes: Uint8Array): Contributions {
  // A copy: columns of eight bytes must begin at a multiple of eight.
  const buffer = new Uint8Array(bytes).buffer;
  const length = new Uint32Array(buffer, 0, 1)[0] as number;
  const hasRows = AGGREGATIONS[aggregation].keeping === 'latest';
  let at = HEADER_BYTES;
  const timeMs = new Float64Array(buffer, at, length);
  at += length * 8;
  const rowId = hasRows ? new Float64Array(buffer, at, length) : undefined;
  if (hasRows) at += length * 8;
  const subject = new Int32Array(buffer, at, length);
  const dims = new Int32Array(buffer, at + length * 4, length);
  const tail = Buffer.from(buffer, at + length * 8).toString();
  const isText = AGGREGATIONS[aggregation].reading.takes === 'text';
  const parsed: unknown = tail === '' ? undefined : JSON.parse(tail);
  return {
    length,
    timeMs,
    subject,
    dims,
    rowId,
    figures: isText ? undefined : (parsed as (Figure | null)[] | undefined),
    values: isText ? (parsed as string[]) : undefined,
  };
}

/** One entry as a cell. */
export function contributionCell(from: Contributions, index: number): Cell {
  const timeMs = from.timeMs[index] as number;
  const figure = from.figures?.[index] ?? null;
  return {
    n: 1,
    m: figure === null ? 0 : 1,
    figure,
    atMs: timeMs,
    rowId: from.rowId?.[index] ?? 0,
    firstMs: timeMs,
    lastMs: timeMs,
  };
}
