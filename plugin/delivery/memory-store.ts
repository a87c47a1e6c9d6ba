import type { Entry, EventStore, OnLost } from './event-store.ts';
import { createHeldEntries, type HeldEntries, type MemoryBounds } from './held-entries.ts';
import type { Origin } from './origin.ts';
import { createTexts } from './texts.ts';

/** Kong's own queue warns at the same mark (`kong.tools.queue`). */
export const WARNING_SHARE = 0.8;

/**
 * The buffer in memory, bounded in entries and bytes with what is in flight included. When it is full the oldest
 * waiting entry makes room, as in `kong.tools.queue`; when none waits, the new one is lost.
 */
export function createMemoryStore(bounds: MemoryBounds, origin: Origin, onLost: OnLost): EventStore {
  const held = createHeldEntries<Entry>(bounds);
  const texts = createTexts();
  return {
    origin,
    get waiting() {
      return held.waiting;
    },
    get waitingBytes() {
      return held.waitingBytes;
    },
    get active() {
      return held.active;
    },
    get held() {
      return held.active;
    },
    get warning() {
      return held.usedShare >= WARNING_SHARE ? 'the queue is 80 % full' : undefined;
    },
    get isCrowded() {
      return held.usedShare >= WARNING_SHARE;
    },
    outlivesProcess: false,
    first: () => held.first(),
    push({ json }, number, now) {
      const { chunk, start, bytes } = texts.add(json, Buffer.byteLength(json));
      const entry = { chunk, start, bytes, queuedAt: now, number, isReadBack: false };
      keep(entry, held, bounds, onLost);
    },
    take: (maxEntries, maxBytes) => held.take(maxEntries, maxBytes),
    settle: (entries) => held.forgetTaken(entries),
    giveBack: (entries) => held.giveBack(entries),
    flush: () => undefined,
    secure() {
      // There is no disk.
    },
    close() {
      const lost = held.active;
      held.clear();
      return Promise.resolve(lost);
    },
  };
}

function keep(entry: Entry, held: HeldEntries<Entry>, { maxBytes }: MemoryBounds, onLost: OnLost): void {
  // What is in flight cannot make room: if it alone is in the way, dropping the others would be in vain.
  if (!held.fitsBesideTaken(entry.bytes)) {
    onLost(entry.bytes > maxBytes ? 'event_too_large' : 'queue_full', 1, entry);
    return;
  }
  while (!held.fits(entry.bytes)) {
    const oldest = held.dropFirst();
    if (oldest === undefined) break;
    onLost('queue_full', 1, oldest);
  }
  held.pushBack(entry);
}
