import type { Clock } from '../../../delivery/clock.ts';
import type { EventStore, LossReason, OnLost } from '../event-store.ts';
import type { MemoryBounds } from '../held-entries.ts';
import { WARNING_SHARE } from '../memory-store.ts';
import type { Origin } from '../origin.ts';
import { createRing, type Ring } from '../ring.ts';
import type { Deliverable } from '../settings.ts';
import { createTexts, type Texts } from '../texts.ts';
import type { Budget, Dropper } from './budget.ts';
import { type Checkpointer, createCheckpointer } from './checkpointer.ts';
import { createDiskEntries, type DiskEntries } from './disk-entries.ts';
import { isOnDisk, pushedEntry, type SpoolEntry } from './entry.ts';
import type { SpoolFiles } from './files.ts';
import type { FolderSlot } from './folder-slot.ts';
import { recordBytes } from './pending-entries.ts';
import { MAX_TEXT_BYTES } from './record.ts';
import { createSegmentFiles } from './segment-files.ts';
import type { Segment } from './segments.ts';
import { createWriter, type Writer } from './writer.ts';

export interface SpoolStoreOptions {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly bounds: MemoryBounds;
  readonly origin: Origin;
  readonly slot: FolderSlot;
  readonly syncMs: number;
  readonly segmentBytes: number;
  readonly onLost: OnLost;
  /** There are events to take that were not there before. */
  readonly onReadable: () => void;
  readonly onSpooled: () => void;
  readonly onSynced: (tookMs: number) => void;
  /** The disk refused something. */
  readonly onTrouble: (error: unknown) => void;
  readonly onRecovered: () => void;
}

/** A store on disk with its oldest events in memory. */
export interface SpoolStore extends EventStore {
  /** Whether it keeps its events in memory only, since the disk refuses. */
  readonly isFailing: boolean;
  /** To be called now and then: says that the owner lives, and notices when somebody has removed the folder. */
  beat(): void;
  /** After `close`: gives the folder up, so that others may adopt what is left in it. */
  release(): Promise<void>;
}

/**
 * What memory may hold beyond its bounds while it is on its way to disk: what a busy process takes in two seconds, so
 * that a disk that stalls for that long costs nothing.
 */
const MAX_TAIL_BYTES = 32 * 1024 * 1024;

/** A segment this large is left behind when all in it is settled; smaller ones are filled on. */
const WORTH_REMOVING_SHARE = 1 / 8;

/** The newest events, when older ones are on disk only: in memory until they are on disk, too. */
interface Tail {
  readonly ring: Ring<SpoolEntry>;
  bytes: number;
}

interface Parts {
  readonly options: SpoolStoreOptions;
  readonly entries: DiskEntries;
  readonly tail: Tail;
  readonly texts: Texts;
  readonly writer: Writer;
  readonly checkpointer: Checkpointer;
  readonly dropper: Dropper;
  isClosed: boolean;
  /** Events that were left on disk. */
  kept: number;
}

export function createSpoolStore(options: SpoolStoreOptions): SpoolStore {
  const parts = assemble(options);
  const { entries, tail, writer } = parts;
  const { held, readBack } = entries;
  const heldEvents = () => (parts.isClosed ? parts.kept : held.active + tail.ring.size + readBack.events);
  return {
    origin: options.origin,
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
      return heldEvents();
    },
    get warning() {
      return warningOf(parts);
    },
    get isCrowded() {
      return held.usedShare >= WARNING_SHARE;
    },
    outlivesProcess: true,
    get isFailing() {
      return writer.isFailing;
    },
    first: () => held.first(),
    push: (event, number, now) => push(event, number, now, parts),
    take: (maxEntries, maxBytes) => {
      const taken = held.take(maxEntries, maxBytes);
      refill(parts);
      return taken;
    },
    settle(settled) {
      const spooled = settled as readonly SpoolEntry[];
      held.forgetTaken(spooled);
      entries.settle(spooled);
      afterSettling(parts);
    },
    giveBack: (given) => held.giveBack(given as readonly SpoolEntry[]),
    flush: writer.flush,
    secure() {
      // What is on disk only stays there: the time that is left is for what is in memory.
      void readBack.stop();
      writer.secure();
    },
    close: () => close(parts),
    beat() {
      if (!options.slot.beat()) moveOut(parts);
      else if (options.slot.current === undefined) claim(options);
    },
    release: () => options.slot.end(entries.segments.isEmpty),
  };
}

function assemble(options: SpoolStoreOptions): Parts {
  const { files, clock, slot, onTrouble } = options;
  const folder = () => slot.claim();
  const tail: Tail = { ring: createRing(), bytes: 0 };
  const entries = createDiskEntries({
    ...options,
    admits: () => true,
    onUnreadable: (segment, events) => entries.segments.settle(segment, events),
    onFileRead: () => undefined,
    onGone: (segment) => leave(segment, parts),
    finishSegment: (segment) => writer.finishSegment(segment),
  });
  const segmentFiles = createSegmentFiles({ files, segments: entries.segments, folder, onTrouble });
  const writer: Writer = createWriter({
    ...options,
    segmentFiles,
    // At once, so that a folder that cannot be used is known before the first event, and not after the first crash.
    isFailing: !claim(options),
    onWritten: (entry, segment, start, end) => written(entry, segment, start, end, parts),
    onSkipped: (entry) => options.budget.release(recordBytes(entry)),
  });
  const { origin } = options;
  const checkpointer = createCheckpointer({
    clock,
    folder: () => slot.current?.path,
    origin,
    finished: entries.finished,
    onTrouble,
  });
  const dropper = { dropOldest: entries.dropOldest };
  const texts = createTexts();
  const parts: Parts = { options, entries, tail, texts, writer, checkpointer, dropper, isClosed: false, kept: 0 };
  return parts;
}

function claim({ slot, onTrouble }: SpoolStoreOptions): boolean {
  try {
    slot.claim();
    return true;
  } catch (error) {
    onTrouble(error);
    return false;
  }
}

function warningOf({ options, entries, writer }: Parts): string | undefined {
  const { budget } = options;
  if (budget.usedBytes >= WARNING_SHARE * budget.maxBytes) return 'the spool is 80 % full';
  return writer.isFailing && entries.held.usedShare >= WARNING_SHARE ? 'the queue is 80 % full' : undefined;
}

function push(event: Deliverable, number: number, now: number, parts: Parts): void {
  const { options, entries, writer } = parts;
  const bytes = Buffer.byteLength(event.json);
  const entry = pushedEntry(parts.texts.add(event.json, bytes), number, now);
  const isTooLarge = bytes > Math.min(options.bounds.maxBytes, MAX_TEXT_BYTES);
  const reason = parts.isClosed ? 'shutdown' : isTooLarge ? 'event_too_large' : undefined;
  const isReserved = reason === undefined && options.budget.reserve(recordBytes(entry), parts.dropper);
  const loss = reason ?? keep(entry, isReserved, parts);
  if (loss === undefined) {
    if (isReserved) writer.add(entry);
    return;
  }
  if (isReserved) options.budget.release(recordBytes(entry));
  entries.settle([entry]);
  options.onLost(loss, 1, entry);
}

/**
 * Finds the entry a place in memory, until it is on disk at least. An entry that finds no room on disk may still be
 * delivered from memory. Returns the reason when there is no place.
 */
function keep(entry: SpoolEntry, isReserved: boolean, parts: Parts): LossReason | undefined {
  const { entries, tail, writer } = parts;
  const { held, readBack } = entries;
  if (isReserved && writer.isFailing) makeRoom(entry.bytes, parts);
  const fits = held.fits(entry.bytes, { entries: tail.ring.size, bytes: tail.bytes });
  if (fits && readBack.isEmpty && tail.ring.size === 0) {
    held.pushBack(entry);
    return undefined;
  }
  if (!isReserved) return 'spool_full';
  if (!fits && (writer.isFailing || tail.bytes + entry.bytes > MAX_TAIL_BYTES)) return 'queue_full';
  tail.ring.pushBack(entry);
  tail.bytes += entry.bytes;
  return undefined;
}

/** While the disk refuses, memory is all there is: the oldest event that is nowhere else makes room, as without a disk. */
function makeRoom(bytes: number, parts: Parts): void {
  const { options, entries, tail } = parts;
  const { held } = entries;
  if (!held.fitsBesideTaken(bytes)) return;
  while (!held.fits(bytes, { entries: tail.ring.size, bytes: tail.bytes })) {
    const oldest = held.first() ?? tail.ring.first();
    if (oldest === undefined || isOnDisk(oldest)) return;
    if (held.dropFirst() === undefined) takeFromTail(tail);
    entries.settle([oldest]);
    options.onLost('queue_full', 1, oldest);
    refill(parts);
  }
}

/** What can be taken next comes into memory: from the tail when nothing older is on disk only, otherwise from there. */
function refill({ entries, tail }: Parts): void {
  const { held, readBack } = entries;
  if (!readBack.isEmpty) {
    readBack.run();
    return;
  }
  for (let next = tail.ring.first(); next !== undefined && held.fits(next.bytes); next = tail.ring.first()) {
    takeFromTail(tail);
    held.pushBack(next);
  }
}

function takeFromTail(tail: Tail): void {
  tail.bytes -= tail.ring.takeFirst()?.bytes ?? 0;
}

function written(entry: SpoolEntry, segment: Segment, start: number, end: number, parts: Parts): void {
  const { options, entries, tail, writer } = parts;
  // Its folder was removed while it was written: once more, into the next one.
  if (segment.isGone) {
    writer.add(entry);
    return;
  }
  entry.segment = segment;
  entries.segments.recordWritten(segment, entry.number, end - start);
  options.onSpooled();
  if (entry.isSettled) entries.segments.settle(segment, 1);
  else if (tail.ring.first() === entry) {
    takeFromTail(tail);
    entries.readBack.append(segment, start, end);
    entries.readBack.run();
  }
}

function afterSettling(parts: Parts): void {
  const { options, entries, writer, checkpointer } = parts;
  checkpointer.touch();
  refill(parts);
  const { oldest } = entries.segments;
  if (oldest === undefined || !oldest.isOpen || oldest.settled < oldest.records) return;
  if (oldest.bytes >= options.segmentBytes * WORTH_REMOVING_SHARE) writer.finishSegment(oldest);
}

/** Somebody has removed the folder with all that was in it. What is in memory goes into a new one. */
function moveOut(parts: Parts): void {
  const { options, entries, writer } = parts;
  const { segments, readBack } = entries;
  let lost = 0;
  for (let segment = segments.oldest; segment !== undefined; segment = segments.oldest) {
    writer.finishSegment(segment);
    lost += readBack.forget(segment).events;
    leave(segment, parts);
  }
  options.onTrouble(new Error('the folder is gone'));
  if (lost > 0) options.onLost('spool_unreadable', lost);
  claim(options);
}

/** Nothing more is written to a file that somebody has removed; what of it is in memory goes into another one. */
function leave(segment: Segment, { options, entries, writer, dropper }: Parts): void {
  entries.segments.forget(segment);
  for (const entry of entries.held.listWaiting()) {
    if (entry.segment === segment && options.budget.reserve(recordBytes(entry), dropper)) writer.add(entry);
  }
}

async function close(parts: Parts): Promise<number> {
  const { entries, tail, writer, checkpointer } = parts;
  const { held, readBack, segments } = entries;
  await readBack.stop();
  await writer.drain();
  const inMemory = [...held.listWaiting(), ...tail.ring.values()];
  const lost = inMemory.filter((entry) => !isOnDisk(entry)).length;
  parts.isClosed = true;
  parts.kept = inMemory.length - lost + readBack.events;
  held.clear();
  await writer.finish();
  await checkpointer.end();
  await segments.removed();
  return lost;
}
