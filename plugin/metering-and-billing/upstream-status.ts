import { countOf, textOf } from './json-values.ts';

/**
 * The status of the last try. nginx writes one status per try (`502, 502, 200`; tries after an internal redirect follow
 * a colon), `-` for a try without an answer and nothing when no upstream was asked; with buffered responses it is a
 * number.
 */
export function lastUpstreamStatus(value: unknown): number | undefined {
  if (typeof value === 'number') return countOf(value);
  const last = textOf(value)?.split(/[,:]/).at(-1)?.trim();
  return last !== undefined && /^\d{3}$/.test(last) ? Number(last) : undefined;
}
