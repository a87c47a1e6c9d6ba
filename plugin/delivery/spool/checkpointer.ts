import type { Clock, Timer } from '../../../delivery/clock.ts';
import type { NumberRanges } from '../number-ranges.ts';
import type { Origin } from '../origin.ts';
import { writeCheckpoint } from './checkpoint.ts';

/** Writes a folder's checkpoint now and then. */
export interface Checkpointer {
  /** Something is finished that the last checkpoint does not know. */
  touch(): void;
  /** Writes it, if there is anything new, and no more after that. */
  end(): Promise<void>;
}

export interface CheckpointerOptions {
  readonly clock: Clock;
  readonly folder: () => string | undefined;
  readonly origin: Origin;
  readonly finished: NumberRanges;
  readonly onTrouble: (error: unknown) => void;
}

/** What was delivered in the last second of a killed process is sent a second time. */
const INTERVAL_MS = 1000;

export function createCheckpointer({ clock, folder, origin, finished, onTrouble }: CheckpointerOptions): Checkpointer {
  let isStale = false;
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const path = folder();
    if (!isStale || path === undefined) return;
    isStale = false;
    try {
      await writeCheckpoint(path, { taken: origin.taken, dropped: origin.dropped() }, finished);
    } catch (error) {
      // The next one, at the latest that of the end, tries again.
      isStale = true;
      onTrouble(error);
    }
  }

  return {
    touch() {
      isStale = true;
      timer ??= clock.setTimer(
        () => {
          timer = undefined;
          writing = writing.then(write);
        },
        INTERVAL_MS,
        { background: true },
      );
    },
    async end() {
      timer?.cancel();
      await writing;
      await write();
    },
  };
}
