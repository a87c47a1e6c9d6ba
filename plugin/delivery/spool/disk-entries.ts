import type { Clock } from '../../../delivery/clock.ts';
import type { OnLost } from '../event-store.ts';
import { createHeldEntries, type HeldEntries, type MemoryBounds } from '../held-entries.ts';
import { createNumberRanges, type NumberRanges } from '../number-ranges.ts';
import { createTexts } from '../texts.ts';
import type { Budget } from './budget.ts';
import { countEvents } from './count-events.ts';
import { readEntry, type SpoolEntry } from './entry.ts';
import type { SpoolFiles } from './files.ts';
import { createReadBack, type ReadBack } from './read-back.ts';
import type { SpoolRecord } from './record.ts';
import { createSegments, type Segment, type Segments } from './segments.ts';

/** The events of one folder: the oldest in memory, the others on disk only until there is room. */
export interface DiskEntries {
  readonly held: HeldEntries<SpoolEntry>;
  readonly segments: Segments;
  readonly readBack: ReadBack;
  /** Numbers that are delivered or dropped. */
  readonly finished: NumberRanges;
  /** Those are delivered or dropped; some may be taken, which then are no more. */
  settle(entries: readonly SpoolEntry[]): void;
  /** Drops the oldest segment with what is in it, but for events that are in flight. false = there is none to drop. */
  dropOldest(): boolean;
}

export interface DiskEntriesOptions {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly bounds: MemoryBounds;
  /** The numbers that are finished already. */
  readonly finished?: Iterable<readonly [number, number]>;
  readonly onLost: OnLost;
  /** A record of a segment; the entry comes into memory unless this says no. */
  readonly admits: (record: SpoolRecord, segment: Segment) => boolean;
  /** Events are lost that had been counted as written to it. */
  readonly onUnreadable?: (segment: Segment, events: number) => void;
  readonly onFileRead: (segment: Segment) => void;
  /** Somebody has removed the file of that segment. */
  readonly onGone?: (segment: Segment) => void;
  /** Nothing more comes into this segment. false = something is being written to it. */
  readonly finishSegment: (segment: Segment) => boolean;
  /** There are events to take. */
  readonly onReadable: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Below this share of its bounds memory is filled again from disk: not for every event, and not only when it is empty. */
const REFILL_SHARE = 0.5;

export function createDiskEntries(options: DiskEntriesOptions): DiskEntries {
  const { clock, onLost, onTrouble } = options;
  const held = createHeldEntries<SpoolEntry>(options.bounds);
  const finished = createNumberRanges(options.finished);
  const texts = createTexts();
  const segments = createSegments({
    files: options.files,
    budget: options.budget,
    onTrouble,
    // Also those in between that could not be read: they are not waited for any more.
    onRemove: ({ firstNumber, lastNumber }) => {
      if (firstNumber <= lastNumber) finished.add(firstNumber, lastNumber);
    },
  });
  const readBack = createReadBack({
    files: options.files,
    clock,
    wantsMore: () => held.usedShare < REFILL_SHARE,
    // One that is larger than all of memory may be there alone.
    hasRoom: (bytes) => held.active === 0 || held.fits(bytes),
    onRecord(record, segment) {
      if (!options.admits(record, segment)) return;
      const { json, number, atEpochMs } = record;
      // A wall clock that was set back must not make it wait for the time that it was set back by.
      const queuedAt = clock.now() - Math.max(0, clock.epochMs() - atEpochMs);
      held.pushBack(readEntry(texts.add(json, Buffer.byteLength(json)), number, queuedAt, segment));
    },
    onUnreadable(segment, events) {
      onLost('spool_unreadable', events);
      options.onUnreadable?.(segment, events);
    },
    onGone: (segment) => options.onGone?.(segment),
    onFileRead: options.onFileRead,
    onProgress: options.onReadable,
    onTrouble,
  });

  function settle(entries: readonly SpoolEntry[]): void {
    let first = 0;
    let last = -1;
    for (const entry of entries) {
      entry.isSettled = true;
      if (entry.segment !== undefined) segments.settle(entry.segment, 1);
      if (entry.number !== last + 1) {
        if (last > 0) finished.add(first, last);
        first = entry.number;
      }
      last = entry.number;
    }
    if (last > 0) finished.add(first, last);
  }

  function dropOldest(): boolean {
    const segment = segments.oldest;
    if (segment === undefined || (segment.isOpen && !options.finishSegment(segment))) return false;
    const { events, uncounted } = readBack.forget(segment);
    const dropped: SpoolEntry[] = [];
    while (held.first()?.segment === segment) dropped.push(...takeOut(held));
    settle(dropped);
    let counted: Promise<void> | undefined;
    if (uncounted !== undefined) {
      const isWanted = (number: number) => !finished.has(number);
      counted = countEvents(options, segment, uncounted, isWanted).then((lost) => onLost('spool_full', lost));
    }
    if (events + dropped.length > 0) onLost('spool_full', events + dropped.length);
    segments.remove(segment, counted);
    return true;
  }

  return { held, segments, readBack, finished, settle, dropOldest };
}

function takeOut(held: HeldEntries<SpoolEntry>): SpoolEntry[] {
  const oldest = held.dropFirst();
  return oldest === undefined ? [] : [oldest];
}
