import { nowMs } from './clock.ts';

/** Ranges that usage is looked at in. */
export const RANGES = [
  { label: 'Last hour', value: '1h' as const, hours: 1 },
  { label: 'Last 24 hours', value: '24h' as const, hours: 24 },
  { label: 'Last 7 days', value: '7d' as const, hours: 7 * 24 },
  { label: 'Last 30 days', value: '30d' as const, hours: 30 * 24 },
  { label: 'Last 12 months', value: '12m' as const, hours: 365 * 24 },
];
export type RangeName = (typeof RANGES)[number]['value'];

const HOUR_MS = 3_600_000;

/** The range up to the end of this hour: what happens now is in it, and the request stays the same for a while. */
export function rangeOf(name: RangeName, atMs = nowMs()): { from: string; to: string } {
  const hours = RANGES.find((range) => range.value === name)?.hours ?? 24;
  const endMs = Math.ceil((atMs + 1) / HOUR_MS) * HOUR_MS;
  return { from: new Date(endMs - hours * HOUR_MS).toISOString(), to: new Date(endMs).toISOString() };
}
