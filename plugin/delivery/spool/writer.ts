import type { Clock, Timer } from '../../../delivery/clock.ts';
import type { SpoolEntry } from './entry.ts';
import { type Batch, createPendingEntries, encodeBatch, type PendingEntries, recordBytes } from './pending-entries.ts';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';
import type { Segment } from './segments.ts';

/** Puts events on disk behind the caller's back: many in one write and one sync. */
export interface Writer {
  /** The disk has refused; events stay in memory until it takes them again. */
  readonly isFailing: boolean;
  /** To be on disk after `syncMs`, or at once after `secure`. Its bytes have been reserved. */
  add(entry: SpoolEntry): void;
  /**
   * Hands what waits to the operating system within the call, as far as it takes it: a process that is killed loses
   * none of that. It is synced when its window is over.
   */
  flush(): void;
  /** From now on everything is written before the call returns, and synced at the end. For good. */
  secure(): void;
  /** Lets go of the segment that is being written to, so that it can be removed. false = not now. */
  finishSegment(segment: Segment): boolean;
  /** Writes and syncs what can be written. More may be added until this resolves. */
  drain(): Promise<void>;
  /** Closes the files. Nothing may be added any more. */
  finish(): Promise<void>;
}

export interface WriterOptions {
  readonly clock: Clock;
  readonly syncMs: number;
  /** A segment ends when it has this many bytes. */
  readonly segmentBytes: number;
  readonly segmentFiles: SegmentFiles;
  /** Whether the disk has refused already, before anything was to be written. */
  readonly isFailing: boolean;
  /** An event is on disk, between these places of the segment. Called in the order of the events. */
  readonly onWritten: (entry: SpoolEntry, segment: Segment, start: number, end: number) => void;
  /** An event was settled before it had to be written: its reservation is over. */
  readonly onSkipped: (entry: SpoolEntry) => void;
  readonly onSynced: (tookMs: number) => void;
  readonly onTrouble: (error: unknown) => void;
  readonly onRecovered: () => void;
}

/** One write. Each may be the last that the disk takes: what follows a full one is lost, not what went before. */
const WRITE_BYTES = 64 * 1024;
/** A disk that refuses is tried again after a second, then less and less often. */
const TRY_AGAIN_MS = { first: 1000, most: 30_000 };
const MAX_EXPONENT = 10;

/** What the operating system has, and the disk may not. */
interface Unsynced {
  readonly batch: Batch;
  readonly file: SegmentFile;
  readonly start: number;
}

interface State {
  readonly pending: PendingEntries;
  /** Kept from one write to the next. */
  readonly buffer: Buffer;
  /** In the order of the events. */
  unsynced: Unsynced[];
  current: SegmentFile | undefined;
  /** Full ones, open until what is in them has been synced. */
  readonly full: Set<SegmentFile>;
  /** The file of the time after `secure`: no write that is under way stands in its way. */
  last: SegmentFile | undefined;
  /** What has been handed to the thread pool and may not have been written. */
  unwritten: Batch | undefined;
  failures: number;
}

export function createWriter(options: WriterOptions): Writer {
  const { clock } = options;
  const state: State = {
    pending: createPendingEntries(options.onSkipped),
    buffer: Buffer.allocUnsafeSlow(WRITE_BYTES),
    unsynced: [],
    current: undefined,
    full: new Set(),
    last: undefined,
    unwritten: undefined,
    failures: options.isFailing ? 1 : 0,
  };
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isSecured = false;

  function schedule(): void {
    if (timer !== undefined || running !== undefined || isSecured) return;
    if (state.pending.size === 0 && state.unsynced.length === 0) return;
    // A disk that refuses must not keep a process alive that has nothing else to do.
    timer = clock.setTimer(run, waitMs(state, options), { background: state.failures > 0 });
  }

  function run(): void {
    timer = undefined;
    running = writeAll(state, options).finally(() => {
      running = undefined;
      if (isSecured) writeNow(state, options);
      else schedule();
    });
  }

  function secure(): void {
    if (isSecured) return;
    isSecured = true;
    timer?.cancel();
    timer = undefined;
    // A write that hangs in the thread pool may never be made: its events are written once more, which harms nobody.
    if (state.unwritten !== undefined) writeBatchNow(state.unwritten, state, options, () => undefined);
    for (const { batch, file, start } of state.unsynced.splice(0)) commit(batch, file.segment, start, options);
    writeNow(state, options);
  }

  return {
    get isFailing() {
      return state.failures > 0;
    },
    add(entry) {
      state.pending.add(entry);
      if (isSecured) writeNow(state, options);
      else schedule();
    },
    flush() {
      if (!isSecured && flushNow(state, options)) schedule();
    },
    secure,
    finishSegment(segment) {
      if (running !== undefined || state.unsynced.length > 0 || state.current?.segment !== segment) return false;
      void state.current.finish();
      state.current = undefined;
      return true;
    },
    async drain() {
      secure();
      await running;
      writeNow(state, options);
      for (const file of openFiles(state)) await file.sync().catch(options.onTrouble);
    },
    async finish() {
      for (const file of openFiles(state)) await file.finish();
    },
  };
}

/** A window begins with its first event, also when that came while the window before was being written. */
function waitMs({ failures, pending, unsynced }: State, { clock, syncMs }: WriterOptions): number {
  const first = unsynced[0]?.batch.entries[0] ?? pending.first();
  if (failures === 0) return Math.max(0, (first?.queuedAt ?? 0) + syncMs - clock.now());
  return Math.min(TRY_AGAIN_MS.first * 2 ** Math.min(failures - 1, MAX_EXPONENT), TRY_AGAIN_MS.most);
}

/**
 * The writes themselves are made within a turn, and only their sync in the thread pool: a write that waits there while
 * later events are handed over is lost with the process, although those who asked for it were answered meanwhile. Only a
 * disk that has refused, and may hang, is tried there, when answers no longer wait for it.
 */
async function writeAll(state: State, options: WriterOptions): Promise<void> {
  if (state.failures > 0 && !(await tryAgain(state, options))) return;
  flushNow(state, options);
  await syncWritten(state, options);
}

/** Whether the disk takes events again, as the first of them show. */
async function tryAgain(state: State, options: WriterOptions): Promise<boolean> {
  const batch = state.pending.take(WRITE_BYTES);
  if (batch.entries.length === 0) return true;
  try {
    await writeBatch(batch, state, options);
    return true;
  } catch (error) {
    await refused(batch, state, options, error);
    return false;
  }
}

/** What `flush` has written, file by file. What a refused write has taken back meanwhile is no longer there. */
async function syncWritten(state: State, options: WriterOptions): Promise<void> {
  const { clock, onSynced } = options;
  const startedAt = clock.now();
  const written = [...state.unsynced];
  // One that becomes full meanwhile has more in it than is synced now.
  const full = new Set(state.full);
  const files = new Set([...full, ...written.map(({ file }) => file)]);
  for (const file of files) {
    try {
      await file.sync();
    } catch (error) {
      if (state.failures === 0) await refused({ entries: [], bytes: 0 }, state, options, error);
    }
    if (state.failures > 0) return;
    for (const due of written) {
      if (due.file !== file || state.unsynced[0] !== due) continue;
      state.unsynced.shift();
      commit(due.batch, file.segment, due.start, options);
    }
    if (full.has(file) && state.full.delete(file)) await file.finish();
  }
  if (files.size > 0) onSynced(clock.now() - startedAt);
}

/** Whether anything was written. A disk that refuses is left to those who wait for it. */
function flushNow(state: State, options: WriterOptions): boolean {
  const { pending, unsynced, buffer } = state;
  const { clock } = options;
  if (pending.size === 0 || state.failures > 0) return false;
  while (pending.size > 0) {
    const batch = pending.take(WRITE_BYTES);
    if (batch.entries.length === 0) continue;
    try {
      const file = fileForNow(state, options);
      const bytes = encodeBatch(batch, clock.epochMs() - clock.now(), buffer);
      unsynced.push({ batch, file, start: file.writeNow(bytes) });
    } catch (error) {
      void refused(batch, state, options, error);
      return true;
    }
  }
  return true;
}

/** @throws the system's error */
function fileForNow(state: State, options: WriterOptions): SegmentFile {
  leaveFull(state, options);
  state.current ??= options.segmentFiles.createNow();
  return state.current;
}

function leaveFull(state: State, { segmentBytes }: WriterOptions): void {
  const { current } = state;
  if (current === undefined || (current.end < segmentBytes && !current.segment.isGone)) return;
  state.full.add(current);
  state.current = undefined;
}

/** The one that a disk is tried with that has refused. */
async function writeBatch(batch: Batch, state: State, options: WriterOptions): Promise<void> {
  const { clock } = options;
  const startedAt = clock.now();
  state.unwritten = batch;
  leaveFull(state, options);
  state.current ??= await options.segmentFiles.create();
  const file = state.current;
  const start = await file.write(encodeBatch(batch, clock.epochMs() - clock.now(), state.buffer));
  state.unwritten = undefined;
  await file.sync();
  options.onSynced(clock.now() - startedAt);
  commit(batch, file.segment, start, options);
  recovered(state, options);
}

/** The events stay in memory; what is in the files so far stays there, but nothing more is written to them. */
async function refused(batch: Batch, state: State, options: WriterOptions, error: unknown): Promise<void> {
  state.unwritten = undefined;
  // What has been written and not synced goes with the files that are given up.
  const unsynced = state.unsynced.splice(0);
  state.pending.putBack(batch);
  state.pending.putBack({ entries: unsynced.flatMap((written) => written.batch.entries), bytes: 0 });
  state.failures++;
  options.onTrouble(error);
  const abandoned = new Set([...unsynced.map(({ file }) => file), ...state.full]);
  if (state.current !== undefined) abandoned.add(state.current);
  state.full.clear();
  state.current = undefined;
  for (const file of abandoned) await file.abandon();
}

function openFiles({ full, current, last }: State): SegmentFile[] {
  return [...full, current, last].filter((file) => file !== undefined);
}

function recovered(state: State, options: WriterOptions): void {
  if (state.failures === 0) return;
  state.failures = 0;
  options.onRecovered();
}

function commit({ entries }: Batch, segment: Segment, start: number, options: WriterOptions): void {
  let at = start;
  for (const entry of entries) {
    const end = at + recordBytes(entry);
    options.onWritten(entry, segment, at, end);
    at = end;
  }
}

/** Writes within the call; a killed process needs no sync. */
function writeNow(state: State, options: WriterOptions): void {
  while (state.pending.size > 0) {
    const batch = state.pending.take(WRITE_BYTES);
    const commitAt = (segment: Segment, start: number) => commit(batch, segment, start, options);
    if (batch.entries.length === 0 || writeBatchNow(batch, state, options, commitAt)) continue;
    state.pending.putBack(batch);
    return;
  }
}

function writeBatchNow(
  batch: Batch,
  state: State,
  options: WriterOptions,
  onWritten: (segment: Segment, start: number) => void,
): boolean {
  const { clock, segmentFiles } = options;
  try {
    state.last ??= segmentFiles.createNow();
    const bytes = encodeBatch(batch, clock.epochMs() - clock.now(), Buffer.allocUnsafe(batch.bytes));
    onWritten(state.last.segment, state.last.writeNow(bytes));
    recovered(state, options);
    return true;
  } catch (error) {
    void state.last?.abandon();
    state.last = undefined;
    state.failures++;
    options.onTrouble(error);
    return false;
  }
}
