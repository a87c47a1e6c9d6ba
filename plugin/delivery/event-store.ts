import type { Origin } from './origin.ts';
import type { Deliverable } from './settings.ts';
import { stringOf, type Text } from './texts.ts';

/** An event that a store holds, as its JSON. Stores may carry more on it (a place in a file); others only hand it back. */
export interface Entry extends Text {
  /** When it was pushed, by the monotonic clock; before its start, and so negative, for another process's events. */
  readonly queuedAt: number;
  /** What its origin numbered it with. */
  readonly number: number;
  /** Read from disk: it has waited for long, and leaves no faster than catching up may be. */
  readonly isReadBack: boolean;
}

/**
 * Where events stay between push and delivery. The sender knows only this: taken entries belong to it, still count
 * towards the bounds, and end in exactly one `settle` or one `giveBack`. A store on disk keeps its head in memory, so
 * that nothing here has to wait.
 */
export interface EventStore {
  /** Whose numbers the entries have: all of a store have one origin. */
  readonly origin: Origin;
  /** Entries that can be taken. */
  readonly waiting: number;
  /** Bytes of the entries that can be taken. */
  readonly waitingBytes: number;
  /** Entries in memory: those that can be taken, and taken ones that are not settled. */
  readonly active: number;
  /** Active entries, and those that are on disk only. */
  readonly held: number;
  /** What to say when the store is so full that events will soon be lost. */
  readonly warning: string | undefined;
  /** Memory is at 80 % of its bounds, or more: waiting for a batch that it cannot hold would be in vain. */
  readonly isCrowded: boolean;
  /** Whether what is pushed during shutdown is still kept, since it outlives the process. */
  readonly outlivesProcess: boolean;
  /** When the oldest waiting entry was pushed, and whether it was read back. */
  first(): Pick<Entry, 'queuedAt' | 'isReadBack'> | undefined;
  /** Keeps the event, making room as far as it may; what is lost for it is reported to `onLost` of the store. */
  push(event: Deliverable, number: number, now: number): void;
  /**
   * The oldest entries: at most `maxEntries` and `maxBytes`, and no more runs of numbers than a header can list; but one
   * entry always. Empty when nothing waits.
   */
  take(maxEntries: number, maxBytes: number): Entry[];
  /** Taken entries are dealt with (delivered or dropped): forget them. */
  settle(entries: readonly Entry[]): void;
  /** Taken entries are not dealt with: they wait again, before all others, in the order given. */
  giveBack(entries: readonly Entry[]): void;
  /** Puts, within the call, what has been pushed where the end of this process does not reach it, if there is such a place. */
  flush(): void;
  /** Shutdown has begun: on disk at once with whatever can be there, and with every later push. */
  secure(): void;
  /** Ends the store. Resolves with how many entries are lost by that: all that are held, unless they are on disk. */
  close(): Promise<number>;
}

/** For log lines; empty when the event has none. */
export function idOf(text: Text): string {
  try {
    const event: unknown = JSON.parse(stringOf(text));
    return typeof event === 'object' && event !== null && 'id' in event ? String(event.id) : '';
  } catch {
    return '';
  }
}

export type LossReason = 'queue_full' | 'event_too_large' | 'spool_full' | 'spool_unreadable' | 'shutdown';

/** Told of entries that the store could not keep. */
export type OnLost = (reason: LossReason, count: number, entry?: Entry) => void;
