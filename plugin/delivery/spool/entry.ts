import type { Entry } from '../event-store.ts';
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
export function pushedEntry(
  event: { readonly id: string; readonly json: string },
  bytes: number,
  number: number,
  queuedAt: number,
): SpoolEntry {
  const { id, json } = event;
  return { id, json, bytes, number, queuedAt, isReadBack: false, segment: undefined, isSettled: false };
}

/** An event that was read from a segment. Its id is needed for log lines only, so it is looked for when asked for. */
export function readEntry(json: string, number: number, queuedAt: number, segment: Segment): SpoolEntry {
  return {
    get id() {
      return idOf(json);
    },
    json,
    bytes: Buffer.byteLength(json),
    number,
    queuedAt,
    isReadBack: true,
    segment,
    isSettled: false,
  };
}

function idOf(json: string): string {
  try {
    const event: unknown = JSON.parse(json);
    return typeof event === 'object' && event !== null && 'id' in event ? String(event.id) : '';
  } catch {
    return '';
  }
}
