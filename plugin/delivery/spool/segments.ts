import type { Budget } from './budget.ts';
import { codeOf, type SpoolFiles } from './files.ts';

/** One append-only file of records. It goes when all events in it are settled. */
export interface Segment {
  readonly path: string;
  /** What it takes of the budget. */
  bytes: number;
  /** Events known to be in it… */
  records: number;
  /** …and how many of them need it no more. */
  settled: number;
  /** Events may still be written to it, or found in it. */
  isOpen: boolean;
  /** Unlinked. A file that is open can still be read. */
  isGone: boolean;
  firstNumber: number;
  lastNumber: number;
}

/** The segments of one folder, oldest first. */
export interface Segments {
  readonly oldest: Segment | undefined;
  readonly isEmpty: boolean;
  /** @param bytes of a file that is there already; they count towards the budget from here on */
  add(path: string, bytes: number): Segment;
  /** An event in it, whose bytes the budget has counted. */
  recordWritten(segment: Segment, number: number, bytes: number): void;
  recordFound(segment: Segment, number: number): void;
  settle(segment: Segment, count: number): void;
  /** Nothing more comes. */
  finish(segment: Segment): void;
  /** Forgets it at once; the file goes when `before` has resolved. */
  remove(segment: Segment, before?: Promise<void>): void;
  /** Somebody has removed its file: forgets it, without a word on its events, which may be in memory. */
  forget(segment: Segment): void;
  /** Resolves when what has been removed is off the disk. */
  removed(): Promise<void>;
}

export interface SegmentsOptions {
  readonly files: SpoolFiles;
  readonly budget: Budget;
  /** Before the file goes: all its events are finished. */
  readonly onRemove: (segment: Segment) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The ending of segment files; nothing else in a spool's folder has it. */
export const SEGMENT_ENDING = '.events';

export function createSegments({ files, budget, onRemove, onTrouble }: SegmentsOptions): Segments {
  const all = new Set<Segment>();
  const unlinking = new Set<Promise<void>>();

  function found(segment: Segment, number: number): void {
    segment.records++;
    segment.firstNumber = Math.min(segment.firstNumber, number);
    segment.lastNumber = Math.max(segment.lastNumber, number);
  }

  function forget(segment: Segment): void {
    segment.isGone = true;
    all.delete(segment);
    budget.release(segment.bytes);
  }

  function remove(segment: Segment, before: Promise<void> = Promise.resolve()): void {
    if (segment.isGone) return;
    onRemove(segment);
    forget(segment);
    const unlinked = before
      .then(() => files.unlink(segment.path))
      .catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') onTrouble(error);
      })
      .finally(() => unlinking.delete(unlinked));
    unlinking.add(unlinked);
  }

  function removeIfDone(segment: Segment): void {
    if (!segment.isOpen && segment.settled >= segment.records) remove(segment);
  }

  return {
    get oldest() {
      const [oldest] = all;
      return oldest;
    },
    get isEmpty() {
      return all.size === 0;
    },
    add(path, bytes) {
      budget.add(bytes);
      const counts = { records: 0, settled: 0, firstNumber: Infinity, lastNumber: -Infinity };
      const segment = { path, bytes, ...counts, isOpen: true, isGone: false };
      all.add(segment);
      return segment;
    },
    recordWritten(segment, number, bytes) {
      segment.bytes += bytes;
      found(segment, number);
    },
    recordFound: found,
    settle(segment, count) {
      segment.settled += count;
      removeIfDone(segment);
    },
    finish(segment) {
      segment.isOpen = false;
      removeIfDone(segment);
    },
    remove,
    forget(segment) {
      if (!segment.isGone) forget(segment);
    },
    removed: async () => void (await Promise.all(unlinking)),
  };
}
