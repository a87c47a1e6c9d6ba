import type { Clock, Timer } from '../../../delivery/clock.ts';
import { codeOf, type SpoolFiles } from './files.ts';
import { findRecord, RECORD_OVERHEAD_BYTES, type SpoolRecord } from './record.ts';
import type { Segment } from './segments.ts';
import { readTolerantly } from './tolerant-read.ts';

/** Part of a segment whose events are on disk only. */
interface Span {
  readonly segment: Segment;
  at: number;
  end: number;
  /** Events in it; undefined when nobody has counted them. */
  events: number | undefined;
  /** The place is within bytes that are no record. */
  isInDamage: boolean;
}

/** Brings events that are on disk only back into memory, oldest first, as far as there is room. */
export interface ReadBack {
  /** Whether nothing is on disk only. */
  readonly isEmpty: boolean;
  /** Events that are on disk only, as far as they have been counted. */
  readonly events: number;
  /** An event that was written to the end of a segment and is not in memory. */
  append(segment: Segment, start: number, end: number): void;
  /** A whole file that another process wrote. */
  appendFile(segment: Segment, until: number, from?: number): void;
  /** Forgets what is in a segment, and says how many events that were, or where those are that nobody has counted. */
  forget(segment: Segment): Forgotten;
  /** To be called whenever there may be room. */
  run(): void;
  /** Resolves when nothing is read any more. */
  stop(): Promise<void>;
}

export interface Forgotten {
  readonly events: number;
  readonly uncounted?: { readonly from: number; readonly until: number };
}

export interface ReadBackOptions {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  /** Whether memory has become empty enough to begin reading… */
  readonly wantsMore: () => boolean;
  /** …and whether, once begun, an event of so many bytes may come into it. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly onRecord: (record: SpoolRecord, segment: Segment) => void;
  /** Events whose bytes cannot be read, or are not what was written. */
  readonly onUnreadable: (segment: Segment, events: number) => void;
  /** Somebody has removed the file. What was only there has been said to be unreadable. */
  readonly onGone: (segment: Segment) => void;
  /** A file given by `appendFile` has been read to its end. */
  readonly onFileRead: (segment: Segment) => void;
  /** After some events have been read. */
  readonly onProgress: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Some 400 events: parsed in less than a millisecond, so that nobody waits for it. */
const CHUNK_BYTES = 256 * 1024;
const TRY_AGAIN_MS = 1000;

/** What reading a chunk came to. */
type Progress = 'more' | 'full' | 'done';

export function createReadBack(options: ReadBackOptions): ReadBack {
  const { files, clock, onTrouble } = options;
  const spans: Span[] = [];
  let events = 0;
  let open: { readonly segment: Segment; readonly file: number } | undefined;
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  let isStopped = false;
  let retry: Timer | undefined;

  async function fileOf(segment: Segment): Promise<number> {
    if (open?.segment === segment) return open.file;
    await closeFile();
    open = { segment, file: await files.openForReading(segment.path) };
    return open.file;
  }

  async function closeFile(): Promise<void> {
    const closing = open;
    open = undefined;
    if (closing !== undefined) await files.close(closing.file).catch(onTrouble);
  }

  function count(span: Span, number: number): void {
    if (span.events === undefined) return;
    span.events -= number;
    events -= number;
  }

  function drop(span: Span): void {
    const index = spans.indexOf(span);
    if (index >= 0) spans.splice(index, 1);
    count(span, span.events ?? 0);
  }

  /** What has been counted and has not been found is lost. */
  function passed(span: Span): void {
    const isFile = span.events === undefined;
    const missing = span.events ?? 0;
    drop(span);
    if (missing > 0) options.onUnreadable(span.segment, missing);
    if (isFile) options.onFileRead(span.segment);
  }

  async function readAll(): Promise<void> {
    const buffer = { bytes: Buffer.allocUnsafe(CHUNK_BYTES) };
    for (let span = spans[0]; span !== undefined && !isStopped; span = spans[0]) {
      if (await readSpan(span, buffer)) break;
    }
    if (spans.length === 0) await closeFile();
  }

  /** Returns whether memory is full. */
  async function readSpan(span: Span, buffer: { bytes: Buffer }): Promise<boolean> {
    const { segment } = span;
    let file: number;
    try {
      file = await fileOf(segment);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      onTrouble(error);
      if (segment.isGone) return false;
      for (const lost of spans.filter((each) => each.segment === segment)) giveUp(lost);
      options.onGone(segment);
      return false;
    }
    let wanted = CHUNK_BYTES;
    for (;;) {
      const length = Math.min(wanted, span.end - span.at);
      if (buffer.bytes.length < length) buffer.bytes = Buffer.allocUnsafe(length);
      const got = await readTolerantly(files, file, buffer.bytes, length, span.at, onTrouble);
      // Dropped while it was read, to make room.
      if (segment.isGone || isStopped) return isStopped;
      // A file that ends earlier than it should has lost its end.
      if (got < length) span.end = span.at + got;
      const found = takeRecords(span, buffer.bytes.subarray(0, got), options, (number) => count(span, number));
      if (found.progress === 'done') passed(span);
      options.onProgress();
      if (found.progress !== 'more') return found.progress === 'full';
      wanted = Math.max(CHUNK_BYTES, found.wanted);
    }
  }

  function giveUp(span: Span): void {
    if (span.events === undefined) options.onUnreadable(span.segment, 1);
    passed(span);
  }

  function run(): void {
    isAskedAgain = running !== undefined;
    if (isAskedAgain || isStopped || retry !== undefined || spans.length === 0 || !options.wantsMore()) return;
    running = readAll()
      .catch((error: unknown) => {
        onTrouble(error);
        retry = clock.setTimer(tryAgain, TRY_AGAIN_MS, { background: true });
      })
      .finally(() => {
        running = undefined;
        if (isAskedAgain) run();
      });
  }

  function tryAgain(): void {
    retry = undefined;
    run();
  }

  return {
    get isEmpty() {
      return spans.length === 0;
    },
    get events() {
      return events;
    },
    append(segment, start, end) {
      const last = spans.at(-1);
      events++;
      if (last?.segment === segment && last.end === start && last.events !== undefined) {
        last.end = end;
        last.events++;
      } else spans.push({ segment, at: start, end, events: 1, isInDamage: false });
    },
    appendFile: (segment, until, from = 0) =>
      void spans.push({ segment, at: from, end: until, events: undefined, isInDamage: false }),
    forget(segment) {
      const before = events;
      const forgotten = spans.filter((span) => span.segment === segment);
      const file = forgotten.find((span) => span.events === undefined);
      for (const span of forgotten) drop(span);
      return { events: before - events, ...(file && { uncounted: { from: file.at, until: file.end } }) };
    },
    run,
    async stop() {
      isStopped = true;
      retry?.cancel();
      await running;
      await closeFile();
    },
  };
}

/** Hands on what stands in the bytes at the span's place, and moves that place on. */
function takeRecords(
  span: Span,
  bytes: Buffer,
  { hasRoom, onRecord, onUnreadable }: ReadBackOptions,
  count: (events: number) => void,
): { readonly progress: Progress; readonly wanted: number } {
  const { segment } = span;
  const start = span.at;
  const isLast = start + bytes.length >= span.end;
  for (let at = 0; at < bytes.length; ) {
    const finding = findRecord(bytes, at, isLast);
    if (finding.kind === 'incomplete') return { progress: 'more', wanted: finding.bytes };
    if (finding.kind === 'record') {
      if (!hasRoom(finding.end - at - RECORD_OVERHEAD_BYTES)) return { progress: 'full', wanted: 0 };
      onRecord(finding.record, segment);
      count(1);
    } else if (span.events === undefined && (finding.hasMark || !span.isInDamage)) onUnreadable(segment, 1);
    span.isInDamage = finding.kind === 'damage';
    at = finding.end;
    span.at = start + at;
  }
  return { progress: isLast ? 'done' : 'more', wanted: 0 };
}
