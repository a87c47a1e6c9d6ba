import type { NumberRange } from './types.ts';

/** A process that lost more than this in pieces is answered with the first ones and the sum of all. */
export const MAX_MISSING_RANGES = 100;

/**
 * The greatest count of each reason. Deliveries overtake each other; and whoever delivers what a killed process has left
 * goes on from what that one had last written down, which may be less than what it had told.
 */
export function mostDropped(told: Readonly<Record<string, number>>, known: unknown): string {
  const counts = typeof known === 'string' ? (JSON.parse(known) as Record<string, number>) : {};
  for (const [reason, count] of Object.entries(told)) counts[reason] = Math.max(count, counts[reason] ?? 0);
  return JSON.stringify(counts);
}

/** The numbers between 1 and the highest that have not arrived. */
export function gapsBetween(arrived: readonly NumberRange[]): NumberRange[] {
  const gaps: NumberRange[] = [];
  let expected = 1;
  for (const { first, last } of arrived) {
    if (first > expected) gaps.push({ first: expected, last: first - 1 });
    expected = last + 1;
  }
  return gaps;
}
