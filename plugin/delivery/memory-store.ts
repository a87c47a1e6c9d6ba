import type { Entry, EventStore, OnLost } from './event-store.ts';
import { createRing, type Ring } from './ring.ts';

export interface MemoryBounds {
  readonly maxEntries: number;
  /** Infinity = bounded by `maxEntries` alone. */
  readonly maxBytes: number;
}

/** Kong's own queue warns at the same mark (`kong.tools.queue`). */
const WARNING_SHARE = 0.8;

/** What may be in memory: waiting entries in their order, and the sums of those and of the taken ones. */
interface Memory {
  readonly ring: Ring<Entry>;
  waitingBytes: number;
  takenEntries: number;
  takenBytes: number;
}

/**
 * The buffer in memory, bounded in entries and bytes with what is in flight included. When it is full the oldest
 * waiting entry makes room, as in `kong.tools.queue`; when none waits, the new one is lost.
 */
export function createMemoryStore(bounds: MemoryBounds, onLost: OnLost): EventStore {
  const memory: Memory = { ring: createRing(), waitingBytes: 0, takenEntries: 0, takenBytes: 0 };
  const { ring } = memory;
  return {
    get waiting() {
      return ring.size;
    },
    get waitingBytes() {
      return memory.waitingBytes;
    },
    get held() {
      return ring.size + memory.takenEntries;
    },
    get isNearlyFull() {
      return (
        ring.size + memory.takenEntries >= WARNING_SHARE * bounds.maxEntries ||
        memory.waitingBytes + memory.takenBytes >= WARNING_SHARE * bounds.maxBytes
      );
    },
    oldestQueuedAt: () => ring.first()?.queuedAt,
    push({ id, json }, now) {
      keep({ id, json, bytes: Buffer.byteLength(json), queuedAt: now }, memory, bounds, onLost);
    },
    take: (maxEntries, maxBytes) => takeBatch(memory, maxEntries, maxBytes),
    settle: (entries) => forgetTaken(entries, memory),
    giveBack(entries) {
      forgetTaken(entries, memory);
      for (const entry of entries.toReversed()) {
        ring.pushFront(entry);
        memory.waitingBytes += entry.bytes;
      }
    },
    close() {
      const lost = ring.size + memory.takenEntries;
      while (takeOldest(memory) !== undefined);
      memory.takenEntries = 0;
      memory.takenBytes = 0;
      return lost;
    },
  };
}

function keep(entry: Entry, memory: Memory, { maxEntries, maxBytes }: MemoryBounds, onLost: OnLost): void {
  const { ring, takenEntries, takenBytes } = memory;
  // What is in flight cannot make room: if it alone is in the way, dropping the others would be in vain.
  if (takenEntries + 1 > maxEntries || takenBytes + entry.bytes > maxBytes) {
    onLost(entry.bytes > maxBytes ? 'event_too_large' : 'queue_full', entry);
    return;
  }
  while (ring.size + takenEntries + 1 > maxEntries || memory.waitingBytes + takenBytes + entry.bytes > maxBytes) {
    const oldest = takeOldest(memory);
    if (oldest === undefined) break;
    onLost('queue_full', oldest);
  }
  ring.pushBack(entry);
  memory.waitingBytes += entry.bytes;
}

function takeBatch(memory: Memory, maxEntries: number, maxBytes: number): Entry[] {
  const entries: Entry[] = [];
  let bytes = 0;
  while (entries.length < maxEntries) {
    const next = memory.ring.first();
    if (next === undefined || (entries.length > 0 && bytes + next.bytes > maxBytes)) break;
    takeOldest(memory);
    entries.push(next);
    bytes += next.bytes;
  }
  memory.takenEntries += entries.length;
  memory.takenBytes += bytes;
  return entries;
}

function takeOldest(memory: Memory): Entry | undefined {
  const entry = memory.ring.takeFirst();
  if (entry !== undefined) memory.waitingBytes -= entry.bytes;
  return entry;
}

function forgetTaken(entries: readonly Entry[], memory: Memory): void {
  memory.takenEntries -= entries.length;
  for (const entry of entries) memory.takenBytes -= entry.bytes;
}
