import type { Deliverable } from './settings.ts';

/** An event that a store holds. Stores may carry more on it (a place in a file); others only hand it back. */
export interface Entry extends Deliverable {
  /** UTF-8 length of `json`. */
  readonly bytes: number;
  /** When it was pushed, by the monotonic clock. */
  readonly queuedAt: number;
}

/**
 * Where events stay between push and delivery. The sender knows only this: taken entries belong to it, still count
 * towards the bounds, and end in exactly one `settle` or one `giveBack`. A store on disk keeps its head in memory, so
 * that nothing here has to wait.
 */
export interface EventStore {
  /** Entries that can be taken. */
  readonly waiting: number;
  /** Bytes of the entries that can be taken. */
  readonly waitingBytes: number;
  /** Waiting entries and taken ones that are not settled. */
  readonly held: number;
  /** Past the warning mark: entries or bytes held are at 80 % of their bound, or more. */
  readonly isNearlyFull: boolean;
  /** When the oldest waiting entry was pushed. */
  oldestQueuedAt(): number | undefined;
  /** Keeps the event, making room as far as it may; what is lost for it is reported to `onLost` of the store. */
  push(event: Deliverable, now: number): void;
  /** The oldest entries: at most `maxEntries` and `maxBytes`, but one entry always. Empty when nothing waits. */
  take(maxEntries: number, maxBytes: number): Entry[];
  /** Taken entries are dealt with (delivered or dropped): forget them. */
  settle(entries: readonly Entry[]): void;
  /** Taken entries are not dealt with: they wait again, before all others, in the order given. */
  giveBack(entries: readonly Entry[]): void;
  /** Ends the store. Returns how many entries are lost by that: all that are held, unless they are on disk. */
  close(): number;
}

/** Told of each entry that the store could not keep. */
export type OnLost = (reason: 'queue_full' | 'event_too_large', entry: Entry) => void;
