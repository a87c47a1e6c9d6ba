import { objectOf } from './json-values.ts';

/** HTTP status codes from `from` to `to`, both included. */
export interface StatusCodeRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads `allow_status_codes`: codes (`200`) and ranges (`200-299`). A range written backwards means the same codes; to
 * meter nothing because of it would lose revenue silently. An empty list is no filter.
 */
export function readStatusCodeRanges(value: unknown, problems: string[]): readonly StatusCodeRange[] {
  if (value === undefined || value === null) return [];
  // An empty Lua table can arrive as `{}`.
  if (objectOf(value) !== undefined && Object.keys(value).length === 0) return [];
  const ranges: StatusCodeRange[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    const match = typeof item === 'string' ? /^(\d{3})(?:-(\d{3}))?$/.exec(item) : null;
    if (match === null) {
      problems.push('allow_status_codes must be a list of codes such as 200 and ranges such as 200-299');
      return [];
    }
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    ranges.push({ from: Math.min(first, last), to: Math.max(first, last) });
  }
  return ranges;
}

/** Whether an answer with this status is metered. */
export function isStatusAllowed(ranges: readonly StatusCodeRange[], status: number): boolean {
  return ranges.length === 0 || ranges.some((range) => status >= range.from && status <= range.to);
}
