import type { Entry } from '../event-store.ts';
import type { Text } from '../texts.ts';
import type { Segment } from './segments.ts';

/** An event of a spool while it is in memory. */
export interface SpoolEntry extends Entry {
  /** The file it is in; undefined while it is in memory only. */
  segment: Segment | undefined;
  isSettled: boolean;
}

/** Whether the event outlives the process. */
export function isOnDisk({ segment }: SpoolEntry): boolean {
  return segment !== undefined && !segment.isGone;
}

/** An event that was just pushed. */
export function pushedEntry({ chunk, start, bytes }: Text, number: number, queuedAt: number): SpoolEntry {
  return { chunk, start, bytes, number, queuedAt, isReadBack: false, segment: undefined, isSettled: false };
}

/** An event that was read from a segment. */
export function readEntry(
  { chunk, start, bytes }: Text,
  number: number,
  queuedAt: number,
  segment: Segment,
): SpoolEntry {
  return { chunk, start, bytes, number, queuedAt, isReadBack: true, segment, isSettled: false };
}
