import { continuesRun, MAX_RANGES } from '../../delivery/numbering.ts';
import type { Entry } from './event-store.ts';
import { createRing } from './ring.ts';

export interface MemoryBounds {
  readonly maxEntries: number;
  /** Infinity = bounded by `maxEntries` alone. */
  readonly maxBytes: number;
}

/** The entries that are in memory: waiting ones in their order, and the sums of those and of the taken ones. */
export interface HeldEntries<E extends Entry> {
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Waiting and taken. */
  readonly active: number;
  /** How much of the bound that is nearer is used; past 1 when entries came back to a full memory. */
  readonly usedShare: number;
  first(): E | undefined;
  /** All that wait, oldest first. */
  listWaiting(): E[];
  /** Whether an entry of so many bytes has room beside all that is held, and beside others that count as well… */
  fits(bytes: number, others?: { readonly entries: number; readonly bytes: number }): boolean;
  /** …or would have if nothing waited. */
  fitsBesideTaken(bytes: number): boolean;
  pushBack(entry: E): void;
  /** Takes the oldest waiting entry out for good. */
  dropFirst(): E | undefined;
  /** The oldest ones, as {@link EventStore.take} says. */
  take(maxEntries: number, maxBytes: number): E[];
  forgetTaken(entries: readonly E[]): void;
  giveBack(entries: readonly E[]): void;
  /** Forgets everything. */
  clear(): void;
}

const NOTHING = { entries: 0, bytes: 0 };

export function createHeldEntries<E extends Entry>({ maxEntries, maxBytes }: MemoryBounds): HeldEntries<E> {
  let ring = createRing<E>();
  let waitingBytes = 0;
  let takenEntries = 0;
  let takenBytes = 0;

  function dropFirst(): E | undefined {
    const entry = ring.takeFirst();
    if (entry !== undefined) waitingBytes -= entry.bytes;
    return entry;
  }

  function forgetTaken(entries: readonly E[]): void {
    takenEntries -= entries.length;
    for (const { bytes } of entries) takenBytes -= bytes;
  }

  return {
    get waiting() {
      return ring.size;
    },
    get waitingBytes() {
      return waitingBytes;
    },
    get active() {
      return ring.size + takenEntries;
    },
    get usedShare() {
      return Math.max((ring.size + takenEntries) / maxEntries, (waitingBytes + takenBytes) / maxBytes);
    },
    first: () => ring.first(),
    listWaiting: () => ring.values(),
    fits: (bytes, others = NOTHING) =>
      ring.size + takenEntries + others.entries < maxEntries &&
      waitingBytes + takenBytes + others.bytes + bytes <= maxBytes,
    fitsBesideTaken: (bytes) => takenEntries < maxEntries && takenBytes + bytes <= maxBytes,
    pushBack(entry) {
      ring.pushBack(entry);
      waitingBytes += entry.bytes;
    },
    dropFirst,
    take(mostEntries, mostBytes) {
      const entries: E[] = [];
      let bytes = 0;
      let runs = 0;
      let previous = Number.NaN;
      while (entries.length < mostEntries) {
        const next = ring.first();
        if (next === undefined || (entries.length > 0 && bytes + next.bytes > mostBytes)) break;
        if (!continuesRun(previous, next.number) && ++runs > MAX_RANGES) break;
        dropFirst();
        entries.push(next);
        bytes += next.bytes;
        previous = next.number;
      }
      takenEntries += entries.length;
      takenBytes += bytes;
      return entries;
    },
    forgetTaken,
    giveBack(entries) {
      forgetTaken(entries);
      for (const entry of entries.toReversed()) {
        ring.pushFront(entry);
        waitingBytes += entry.bytes;
      }
    },
    clear() {
      ring = createRing();
      waitingBytes = 0;
      takenEntries = 0;
      takenBytes = 0;
    },
  };
}
