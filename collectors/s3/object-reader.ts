import { type SourceContext, Stopped } from '../core/source.ts';
import { type Bucket, type Listed, statusOf } from './bucket.ts';
import { createFailing } from './failing.ts';
import { type Progress, type ReadSettings, readObject } from './read-object.ts';
import { ObjectUnreadable } from './rows.ts';

export interface ReaderSettings extends ReadSettings {
  readonly pollMs: number;
  readonly stuckAfterMs: number;
  /** Says what failed, in a text without secrets. */
  readonly causeOf: (error: unknown) => string;
}

/** Reads objects, some at once: one that is large, slow or broken holds up no other and no listing. */
export interface ObjectReader {
  /** Begins to read when there is a place for it; one that is being read or failed a short while ago is passed over. */
  offer(object: Listed, from: number, isKept: boolean): Promise<void>;
  /** Objects that cannot be read. */
  readonly failing: number;
  /** When the reading of the oldest object under way began, by the wall clock. */
  oldestAtMs(): number | undefined;
  /** Attempts that were cut off behind rows that were taken, since the last call: the next listing goes on with them. */
  interrupted(): number;
  /** All that was to be listed has been; the keys of unreadable objects that were not among it. */
  passed(): readonly string[];
  /** Resolves when nothing is being read. */
  idle(): Promise<void>;
}

/** Each holds a step in memory. */
const OBJECTS_AT_ONCE = 4;
/** A connection that nobody reads from for so long may be cut off for that alone. */
const LONG_WAIT_MS = 5000;

export function createObjectReader(bucket: Bucket, settings: ReaderSettings, context: SourceContext): ObjectReader {
  const { clock, name, rareLog, signal } = context;
  const failing = createFailing(clock, settings.pollMs);
  const reading = new Map<string, { readonly sinceMs: number; readonly done: Promise<void> }>();
  let interrupted = 0;

  async function attempt(object: Listed, from: number, isKept: boolean): Promise<void> {
    const progress: Progress = { rows: 0, waitedMs: 0 };
    try {
      await readObject(bucket, object, from, settings, context, progress, isKept);
      failing.mended(object.key);
    } catch (error) {
      if (error instanceof Stopped || signal.aborted) return;
      // Gone, or another version by now: the next listing says which.
      if (statusOf(error) === 404 || statusOf(error) === 412) return;
      const wasHeldUp = isKept && (progress.rows > 0 || progress.waitedMs > LONG_WAIT_MS);
      if (wasHeldUp && !(error instanceof ObjectUnreadable)) interrupted++;
      else complain(object, error);
    }
  }

  function complain({ key, etag }: Listed, error: unknown): void {
    const isStuck = failing.failed(key, etag) >= settings.stuckAfterMs;
    const msg = isStuck ? 'an object cannot be read for long' : 'an object cannot be read, and is tried again';
    rareLog.note({
      key: `${name} ${msg}`,
      level: isStuck ? 'error' : 'warn',
      msg,
      fields: { collector: name, key, status: statusOf(error), cause: settings.causeOf(error) },
    });
  }

  return {
    async offer(object, from, isKept) {
      const { key, etag } = object;
      if (reading.has(key) || failing.isResting(key, etag)) return;
      while (reading.size >= OBJECTS_AT_ONCE) await Promise.race([...reading.values()].map(({ done }) => done));
      const done = attempt(object, from, isKept).finally(() => reading.delete(key));
      reading.set(key, { sinceMs: clock.epochMs(), done });
    },
    get failing() {
      return failing.count;
    },
    oldestAtMs: () => [...reading.values()].map(({ sinceMs }) => sinceMs).toSorted((a, b) => a - b)[0],
    interrupted() {
      const count = interrupted;
      interrupted = 0;
      return count;
    },
    passed: failing.passed,
    async idle() {
      await Promise.all([...reading.values()].map(({ done }) => done));
    },
  };
}
