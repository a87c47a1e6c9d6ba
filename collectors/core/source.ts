import type { Clock } from '../../delivery/clock.ts';
import type { RareLog } from '../../delivery/rare-log.ts';

/**
 * A source of usage. To add one: a folder of its own beside `core/` with a `SourceKind` (settings and how to make it), and
 * one line in `sources.ts`.
 *
 * The rule that makes figures exact: an event is a pure function of the configuration, of what the source says, and of a
 * slice of time or a place in the source; its id names that slice or place; and event and cursor are committed in one
 * transaction before anything is acknowledged. So a source
 * - derives `parts` from what is metered, never from when or how often it was read: a second read then counts nothing,
 * - gives the records of a step and the cursor behind them in one `take`, and acknowledges or goes on when it resolves,
 * - takes durations from the source's own timestamps, never from our clock,
 * - says "not known" (an open step, a line, a metric) where the source does not answer; it never takes that for zero,
 * - holds no more than a step in memory, and one object that fails must not hold up the others.
 */
export interface Source {
  /**
   * Reads until the signal is aborted; with `context.once`, until all that is there now has been read. Mends by itself
   * what time can mend (an endpoint that is down). Rejects only for what ends the process.
   */
  run(context: SourceContext): Promise<void>;
  /**
   * Reads once more what happened in a span of the past, whatever was taken of it, and ends: for a backend that has lost it, and
   * for what is older than a source looks. Ids make it count once, and the cursor stays where it is. Not given where the past
   * cannot be asked for. Rejects with what could not be read.
   */
  backfill?(context: SourceContext, span: Span): Promise<void>;
}

/** Half open; milliseconds since 1970. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One message of the source, for the mapping. */
export interface SourceRecord {
  /** What the mapping sees as its input. */
  readonly message: unknown;
  /** Given: the source itself knows that it makes no event, a broken row for example, and why. */
  readonly problem?: string | undefined;
  /** What `$meta(name)` answers. */
  readonly meta?: Readonly<Record<string, string>>;
  /** When it happened by the source's own clock, RFC 3339: the event's time unless the mapping gives one. */
  readonly at?: string | undefined;
  /** Name the slice or place; with the collector's name they make the id, unless the mapping gives one. */
  readonly parts: readonly string[];
  /**
   * Where a mapping makes several events of one message: what tells them apart, added to `parts`. Without it, their index
   * in the mapping's result, when there is more than one; so give it wherever the order in the message may change.
   */
  partsOf?(event: Readonly<Record<string, unknown>>, index: number): readonly string[];
}

/** A place that the source has come to; undefined = forget it. */
export interface CursorChange {
  readonly key: string;
  readonly value: string | undefined;
}

/** One step: what was read, and the cursor behind it. */
export interface Step {
  /** Read one by one as they are mapped, and from the first again when the step could not be taken. What reading them throws, `take` throws. */
  readonly records: Iterable<SourceRecord>;
  readonly cursor?: readonly CursorChange[];
  /**
   * Asked before a part of the step is written whose rest has not been read: rejects when that is broken. Without it, a step
   * whose records break off is taken as far as it was written.
   */
  readonly check?: () => Promise<void>;
}

export interface Refusal {
  /** Its place in the step's records. */
  readonly index: number;
  readonly reason: string;
}

/** What has become of a step: its events and cursor are on disk, and so are, as dead letters, the records that made none. */
export interface Taken {
  readonly events: number;
  /** Records whose mapping failed, or made something that is no event. A mapping that answers nothing skips its record. */
  readonly refusals: readonly Refusal[];
}

/** What a source has to say of itself, for `/ready` and `/metrics`. */
export interface SourceReport {
  /** The source answered. */
  readonly isReached?: boolean;
  /** Up to which instant all is taken, milliseconds since 1970. */
  readonly upToMs?: number;
  /** Slices or objects that are waiting for the source's word. */
  readonly open?: number;
  /** Something that will never be complete, by reason: a fixed word. */
  readonly incomplete?: string;
}

/** Where a source has come to; keys are its own. Reads see what has been taken. */
export interface Cursor {
  get(key: string): string | undefined;
  /** Entries whose keys begin so, in the order of the keys, behind `after`; at most `most`. */
  list(prefix: string, after: string, most: number): readonly { readonly key: string; readonly value: string }[];
}

export interface SourceContext {
  /** The collector's name: part of every id. */
  readonly name: string;
  readonly clock: Clock;
  /** Aborted when the source is to end. A step that is under way may be finished. */
  readonly signal: AbortSignal;
  /** Read what is there and end, instead of waiting for more. */
  readonly once: boolean;
  readonly rareLog: RareLog;
  readonly cursor: Cursor;
  /** Maps and commits. Waits while the spool is full or the disk refuses; resolves when all is on disk. Rejects when aborted. */
  take(step: Step): Promise<Taken>;
  /** The same for who cannot wait: rejects with {@link SpoolUnavailable} when the spool is full or the disk refuses. */
  tryTake(step: Step): Promise<Taken>;
  report(report: SourceReport): void;
}

/** The spool is full, or its disk refuses: nothing of the step was taken. */
export class SpoolUnavailable extends Error {}

/** The collector was told to end before the step was taken: nothing of it was. */
export class Stopped extends Error {
  constructor() {
    super('the collector is stopping');
  }
}

/** Resolves after the delay, or at once when the signal is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = clock.setTimer(end, delayMs);
    signal.addEventListener('abort', end, { once: true });
    function end(): void {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}
