import { join } from 'node:path';
import type { SpoolFiles } from './files.ts';
import { SEGMENT_ENDING, type Segment, type Segments } from './segments.ts';

/** A segment that is being written to. */
export interface SegmentFile {
  readonly segment: Segment;
  /** Where the next write goes. */
  readonly end: number;
  /** Returns, or resolves with, where the bytes begin. Rejects or throws with the system's error. */
  write(bytes: Buffer): Promise<number>;
  writeNow(bytes: Buffer): number;
  /** Resolves when all that has been written would survive a loss of power. */
  sync(): Promise<void>;
  /** Nothing more is written to it. */
  finish(): Promise<void>;
  /** After a failed write: whatever it left behind the last good record goes as well. */
  abandon(): Promise<void>;
}

/** Where segments are written. */
export interface WritableFolder {
  readonly path: string;
  /** Resolves when a loss of power would not take the folder itself away. */
  synced(): Promise<void>;
}

/** Makes new segments. */
export interface SegmentFiles {
  /** Rejects with the system's error. */
  create(): Promise<SegmentFile>;
  /** @throws the system's error */
  createNow(): SegmentFile;
}

export interface SegmentFilesOptions {
  readonly files: SpoolFiles;
  readonly segments: Segments;
  /** The folder to write to, made if need be. @throws the system's error */
  readonly folder: () => WritableFolder;
  readonly onTrouble: (error: unknown) => void;
}

export function createSegmentFiles(options: SegmentFilesOptions): SegmentFiles {
  const { files, segments, folder } = options;
  let last = 0;
  const nextName = () => `${String(++last).padStart(8, '0')}${SEGMENT_ENDING}`;
  return {
    async create() {
      const into = folder();
      const path = join(into.path, nextName());
      return openedSegment(await files.create(path), segments.add(path, 0), into, options);
    },
    createNow() {
      const into = folder();
      const path = join(into.path, nextName());
      return openedSegment(files.createSync(path), segments.add(path, 0), into, options);
    },
  };
}

function openedSegment(
  file: number,
  segment: Segment,
  folder: WritableFolder,
  { files, segments, onTrouble }: SegmentFilesOptions,
): SegmentFile {
  let end = 0;
  let isNamed = false;
  let closing: Promise<void> | undefined;

  /** Two writes may be under way at the same time, each in a place of its own. */
  function claim(bytes: Buffer): number {
    const start = end;
    end += bytes.length;
    return start;
  }

  async function close(): Promise<void> {
    await files.close(file).catch(onTrouble);
    segments.finish(segment);
  }

  /** Once: the number of a closed file is soon that of another file, or of a connection. */
  function finish(): Promise<void> {
    closing ??= close();
    return closing;
  }

  return {
    segment,
    get end() {
      return end;
    },
    async write(bytes) {
      const start = claim(bytes);
      await files.write(file, bytes, start);
      return start;
    },
    writeNow(bytes) {
      const start = claim(bytes);
      files.writeSync(file, bytes, start);
      return start;
    },
    async sync() {
      await files.sync(file);
      if (isNamed) return;
      await files.syncFolder(folder.path);
      await folder.synced();
      isNamed = true;
    },
    finish,
    async abandon() {
      // Frees what a full disk took of the write. If even that fails, readers skip it.
      if (closing === undefined) await files.truncate(file, segment.bytes).catch(() => undefined);
      await finish();
    },
  };
}
