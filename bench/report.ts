/** A figure held against its limit: median, smallest and largest of the ratios of one run. */
export function ratioLine(
  what: string,
  ratios: readonly number[],
  limit: number,
  mustBe: 'at least' | 'at most' = 'at least',
): string {
  const sorted = [...ratios].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  const isMet = mustBe === 'at least' ? median >= limit : median <= limit;
  const range = `${(sorted[0] ?? Number.NaN).toFixed(2)} to ${(sorted.at(-1) ?? Number.NaN).toFixed(2)}`;
  return `${what}: ${median.toFixed(2)} (${range}); ${mustBe} ${limit}: ${isMet ? 'met' : 'MISSED'}`;
}
