import { formatInstant } from '../instant.ts';
import type { Period } from './period.ts';

/** A period as answers and rating have it. */
export function toTextPeriod(period: Period): { from: string; to: string } {
  return { from: formatInstant(period.fromMs), to: formatInstant(period.toMs) };
}
