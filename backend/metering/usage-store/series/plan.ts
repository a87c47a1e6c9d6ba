import type { Granularity } from '../types.ts';
import { type BucketSize, bucketOf, bucketStartMs } from './levels.ts';

/** A piece of a query's range: whole buckets from `first` to before `end`, or a stretch to be read from the events. */
export type Segment =
  | { size: BucketSize; first: number; end: number }
  | { size: undefined; fromMs: number; toMs: number };

const SMALLER: Record<BucketSize, BucketSize | undefined> = { month: 'day', day: 'quarter', quarter: undefined };

/** Cuts [fromMs, toMs) into the largest whole buckets; what is less than a quarter of an hour at the edges is left to the events. */
export function planRange(fromMs: number, toMs: number, largest: BucketSize | undefined): Segment[] {
  if (fromMs >= toMs) return [];
  if (largest === undefined) return [{ size: undefined, fromMs, toMs }];
  const bucket = bucketOf(largest, fromMs);
  const first = bucketStartMs(largest, bucket) === fromMs ? bucket : bucket + 1;
  const end = bucketOf(largest, toMs);
  const smaller = SMALLER[largest];
  if (first >= end) return planRange(fromMs, toMs, smaller);
  return [
    ...planRange(fromMs, bucketStartMs(largest, first), smaller),
    { size: largest, first, end },
    ...planRange(bucketStartMs(largest, end), toMs, smaller),
  ];
}

/** As `planRange`, with the given quarters (ascending) left to the events. */
export function planAround(
  fromMs: number,
  toMs: number,
  largest: BucketSize | undefined,
  quarters: readonly number[],
): Segment[] {
  const segments: Segment[] = [];
  let atMs = fromMs;
  for (const stretch of stretches(quarters)) {
    const [startMs, endMs] = [Math.max(stretch.startMs, atMs), Math.min(stretch.endMs, toMs)];
    if (startMs >= endMs) continue;
    segments.push(...planRange(atMs, startMs, largest), { size: undefined, fromMs: startMs, toMs: endMs });
    atMs = endMs;
  }
  return [...segments, ...planRange(atMs, toMs, largest)];
}

/** Neighbours as one. */
function* stretches(quarters: readonly number[]): Generator<{ startMs: number; endMs: number }> {
  let first: number | undefined;
  for (const [index, quarter] of quarters.entries()) {
    first ??= quarter;
    if (quarters[index + 1] === quarter + 1) continue;
    yield { startMs: bucketStartMs('quarter', first), endMs: bucketStartMs('quarter', quarter + 1) };
    first = undefined;
  }
}

/** Cuts a bucket that does not lie in one window of the calendar into smaller ones. */
export function refine(size: BucketSize, bucket: number): Segment[] {
  return planRange(bucketStartMs(size, bucket), bucketStartMs(size, bucket + 1), SMALLER[size]);
}

/**
 * The largest bucket that can lie in one window; undefined when only events can tell.
 * @param needsPairs subjects and dimensions are both told apart, which months do not do
 */
export function largestSize(
  granularity: Granularity | undefined,
  timeZone: string,
  needsPairs: boolean,
): BucketSize | undefined {
  if (granularity === 'PT1M') return undefined;
  if (granularity === 'PT1H') return 'quarter';
  if (granularity === 'P1D') return timeZone === 'UTC' ? 'day' : 'quarter';
  return needsPairs || (granularity === 'P1M' && timeZone !== 'UTC') ? 'day' : 'month';
}
