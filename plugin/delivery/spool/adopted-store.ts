import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../delivery/clock.ts';
import type { EventStore, OnLost } from '../event-store.ts';
import type { MemoryBounds } from '../held-entries.ts';
import { WARNING_SHARE } from '../memory-store.ts';
import { createNumberRanges } from '../number-ranges.ts';
import type { Origin } from '../origin.ts';
import type { Budget } from './budget.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { type Checkpointer, createCheckpointer } from './checkpointer.ts';
import { createDiskEntries, type DiskEntries } from './disk-entries.ts';
import type { SpoolEntry } from './entry.ts';
import type { SpoolFiles } from './files.ts';
import { removeFolder } from './folders.ts';
import { SEGMENT_ENDING } from './segments.ts';

export interface AdoptedStoreOptions {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly bounds: MemoryBounds;
  /** Taken over, and in the folder of this process. */
  readonly folder: string;
  /** Whose events they are. */
  readonly owner: Pick<Origin, 'node' | 'process'>;
  /** What this process has dropped of them. */
  readonly dropped: Origin['dropped'];
  readonly onLost: OnLost;
  /** An event that nobody in this process had before. */
  readonly onAdopted: () => void;
  readonly onReadable: () => void;
  /** Nothing is left. */
  readonly onDone: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The events of a process that is dead. */
export interface AdoptedStore extends EventStore {
  /** Gives up the oldest of them to make room for newer ones. false = there is nothing to give up. */
  dropOldest(): boolean;
}

/** Rejects with the system's error when the folder cannot be read. */
export async function openAdoptedStore(options: AdoptedStoreOptions): Promise<AdoptedStore> {
  const { folder, clock, onTrouble } = options;
  const segments = await listSegments(folder);
  const checkpoint = readCheckpoint(folder);
  const origin = originOf(options, checkpoint);
  const entries = openEntries(options, checkpoint, origin);
  const checkpointer = createCheckpointer({
    clock,
    folder: () => folder,
    origin,
    finished: entries.finished,
    onTrouble,
  });
  const isDone = () => entries.readBack.isEmpty && entries.held.active === 0;
  for (const { path, bytes } of segments) entries.readBack.appendFile(entries.segments.add(path, bytes), bytes);
  if (isDone()) options.onDone();
  else entries.readBack.run();
  return storeOf(options, { entries, origin, checkpointer, isDone });
}

interface Parts {
  readonly entries: DiskEntries;
  readonly origin: Origin;
  readonly checkpointer: Checkpointer;
  readonly isDone: () => boolean;
}

function storeOf(options: AdoptedStoreOptions, { entries, origin, checkpointer, isDone }: Parts): AdoptedStore {
  const { held, readBack, segments } = entries;
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
    warning: undefined,
    get isCrowded() {
      return held.usedShare >= WARNING_SHARE;
    },
    outlivesProcess: true,
    first: () => held.first(),
    push() {
      throw new Error('nothing is pushed to a process that is dead');
    },
    take: (maxEntries, maxBytes) => held.take(maxEntries, maxBytes),
    settle(settled) {
      const spooled = settled as readonly SpoolEntry[];
      held.forgetTaken(spooled);
      entries.settle(spooled);
      checkpointer.touch();
      readBack.run();
      if (isDone()) options.onDone();
    },
    giveBack: (given) => held.giveBack(given as readonly SpoolEntry[]),
    flush: () => undefined,
    secure: () => void readBack.stop(),
    async close() {
      await readBack.stop();
      await checkpointer.end();
      await segments.removed();
      if (isDone()) await removeFolder(options.folder);
      return 0;
    },
    dropOldest: entries.dropOldest,
  };
}

/** The folder's segments, oldest first. */
async function listSegments(folder: string): Promise<{ path: string; bytes: number }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SEGMENT_ENDING)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, bytes: (await stat(path)).size };
    }),
  );
}

function originOf({ owner, dropped }: AdoptedStoreOptions, checkpoint: Checkpoint): Origin & { taken: number } {
  return {
    ...owner,
    taken: checkpoint.taken,
    dropped() {
      const counts: Record<string, number> = { ...checkpoint.dropped };
      for (const [reason, count] of Object.entries(dropped())) counts[reason] = (counts[reason] ?? 0) + count;
      return counts;
    },
  };
}

function openEntries(options: AdoptedStoreOptions, checkpoint: Checkpoint, origin: { taken: number }): DiskEntries {
  // A write that failed half way was repeated in the next file, so that events may be there twice.
  const seen = createNumberRanges(checkpoint.finished);
  const entries = createDiskEntries({
    ...options,
    finished: checkpoint.finished,
    admits({ number }, segment) {
      if (seen.has(number)) return false;
      seen.add(number);
      origin.taken = Math.max(origin.taken, number);
      entries.segments.recordFound(segment, number);
      options.onAdopted();
      return true;
    },
    onFileRead: (segment) => entries.segments.finish(segment),
    finishSegment: () => true,
    onReadable() {
      options.onReadable();
      // A file of nothing but what has been sent leaves nothing to wait for.
      if (entries.readBack.isEmpty && entries.held.active === 0) options.onDone();
    },
  });
  return entries;
}
