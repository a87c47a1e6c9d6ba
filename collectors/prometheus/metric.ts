import type { CursorChange, SourceRecord } from '../core/source.ts';
import type { Asking } from './asking.ts';
import type { Held } from './held.ts';
import type { Progress, Window } from './windows.ts';

/** A query or a counter: goes its own way through the windows, and holds up no other. */
export interface Metric {
  /** Part of every id, and of the cursor. */
  readonly name: string;
  /** What is asked for, as the configuration has it. */
  readonly query: string;
  /** What no scrape saw in one window is made up with the next sample. */
  readonly isCarried: boolean;
  /** Whether windows of another length than the schedule's can be asked for. */
  readonly takesParts: boolean;
  /** @param progress undefined = this is the first window */
  read(window: Window, progress: Progress | undefined, asking: Asking): Promise<Read>;
}

/** What a window holds, or why that cannot be said yet. */
export type Read =
  | {
      readonly kind: 'read';
      /** The same each time that it is gone through. */
      readonly records: Iterable<SourceRecord>;
      readonly cursor: readonly CursorChange[];
      /** There was no series at all. */
      readonly isEmpty: boolean;
    }
  | Held;

/** The cursor of a metric; its name may have any character. */
export function keyOf(kind: 'progress' | 'series', name: string): string {
  return `${kind}/${encodeURIComponent(name)}`;
}
