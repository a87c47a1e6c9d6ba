import type { SpoolEntry } from './entry.ts';
import { RECORD_OVERHEAD_BYTES, writeRecord } from './record.ts';

/** What goes to disk in one write. */
export interface Batch {
  readonly entries: readonly SpoolEntry[];
  readonly bytes: number;
}

/** Events that are to be written, in their order. */
export interface PendingEntries {
  readonly size: number;
  first(): SpoolEntry | undefined;
  add(entry: SpoolEntry): void;
  /** The first ones, up to so many bytes but at least one; without those that have been settled meanwhile. */
  take(mostBytes: number): Batch;
  /** Before all others. */
  putBack(batch: Batch): void;
}

/** Small lists are not worth looking through. */
const LEAST_COMPACTED = 1024;

/** What an entry takes on disk. */
export function recordBytes(entry: Pick<SpoolEntry, 'bytes'>): number {
  return RECORD_OVERHEAD_BYTES + entry.bytes;
}

/** @param onSkipped an event needs no writing any more */
export function createPendingEntries(onSkipped: (entry: SpoolEntry) => void): PendingEntries {
  let pending: SpoolEntry[] = [];
  let compactAt = LEAST_COMPACTED;

  /** Settled entries leave the list of a disk that refuses, or it would grow with every event. */
  function compact(): void {
    pending = pending.filter((entry) => {
      if (entry.isSettled) onSkipped(entry);
      return !entry.isSettled;
    });
    compactAt = Math.max(LEAST_COMPACTED, pending.length * 2);
  }

  return {
    get size() {
      return pending.length;
    },
    first: () => pending[0],
    add(entry) {
      if (pending.length >= compactAt) compact();
      pending.push(entry);
    },
    take(mostBytes) {
      const entries: SpoolEntry[] = [];
      let bytes = 0;
      let index = 0;
      for (let entry = pending[index]; entry !== undefined; entry = pending[++index]) {
        if (entry.isSettled) {
          onSkipped(entry);
          continue;
        }
        const more = recordBytes(entry);
        if (entries.length > 0 && bytes + more > mostBytes) break;
        entries.push(entry);
        bytes += more;
      }
      pending = index === pending.length ? [] : pending.slice(index);
      compactAt = LEAST_COMPACTED;
      return { entries, bytes };
    },
    putBack({ entries }) {
      pending = [...entries, ...pending];
    },
  };
}

/**
 * The records of a batch, in `into` if it is large enough.
 * @param epochAtZeroMs what the wall clock showed when the monotonic clock showed 0
 */
export function encodeBatch({ entries, bytes }: Batch, epochAtZeroMs: number, into: Buffer): Buffer {
  const target = into.length >= bytes ? into : Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const entry of entries) at = writeRecord(target, at, entry.number, epochAtZeroMs + entry.queuedAt, entry);
  return target.subarray(0, bytes);
}
