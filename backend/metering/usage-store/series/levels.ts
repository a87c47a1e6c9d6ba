/** Sizes of buckets, all in UTC: a quarter of an hour is the largest that no time zone's offset cuts. */
export type BucketSize = 'quarter' | 'day' | 'month';

/** One way of adding up a series: how long a bucket is, and whether subjects and dimensions are told apart. */
export interface Level {
  code: number;
  size: BucketSize;
  bySubject: boolean;
  byDims: boolean;
}

/**
 * A month by subject and dimensions is missing on purpose: it would be nearly as large as the days, and thirty-one days
 * answer the same.
 */
export const LEVELS: readonly Level[] = [
  { code: 1, size: 'quarter', bySubject: true, byDims: true },
  { code: 2, size: 'quarter', bySubject: false, byDims: true },
  { code: 3, size: 'day', bySubject: true, byDims: true },
  { code: 4, size: 'day', bySubject: true, byDims: false },
  { code: 5, size: 'day', bySubject: false, byDims: true },
  { code: 6, size: 'month', bySubject: true, byDims: false },
  { code: 7, size: 'month', bySubject: false, byDims: true },
];
/** The level that says in a handful of rows which months have events at all. */
export const MONTHS_LEVEL = 7;

/** Levels that are kept for a series: without dimensions, days by subject and by subject and dimensions are the same. */
export function levelsOf(hasDimensions: boolean): readonly Level[] {
  return hasDimensions ? LEVELS : LEVELS.filter((level) => level.code !== 3);
}

export function levelByCode(code: number): Level {
  return LEVELS[code - 1] as Level;
}

/** The smallest level of a size that tells apart what is needed; undefined when the size has none. */
export function levelFor(size: BucketSize, needsSubject: boolean, needsDims: boolean): Level | undefined {
  return LEVELS.findLast(
    (level) => level.size === size && level.bySubject === needsSubject && (level.byDims || !needsDims),
  );
}

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** The number of the bucket that holds an instant: since 1970 for quarters and days, since the year 0 for months. */
export function bucketOf(size: BucketSize, atMs: number): number {
  if (size === 'quarter') return Math.floor(atMs / QUARTER_MS);
  if (size === 'day') return Math.floor(atMs / DAY_MS);
  const at = new Date(atMs);
  return at.getUTCFullYear() * 12 + at.getUTCMonth();
}

/** The first instant of a bucket; that of the next one is its end. */
export function bucketStartMs(size: BucketSize, bucket: number): number {
  if (size === 'quarter') return bucket * QUARTER_MS;
  if (size === 'day') return bucket * DAY_MS;
  // Date.UTC would take the years 0 to 99 for those of the twentieth century.
  return new Date(0).setUTCFullYear(Math.floor(bucket / 12), ((bucket % 12) + 12) % 12, 1);
}

/** Where a cell stands among the rollups. */
export type RollupKey = readonly [
  series: number,
  level: number,
  bucket: number,
  subject: number,
  dims: number,
  value: string,
];

export function compareKeys(a: RollupKey, b: RollupKey): number {
  for (let part = 0; part < 5; part++) {
    const difference = (a[part] as number) - (b[part] as number);
    if (difference !== 0) return difference;
  }
  return a[5] < b[5] ? -1 : a[5] > b[5] ? 1 : 0;
}
