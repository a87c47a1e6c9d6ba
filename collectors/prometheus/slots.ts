import { Stopped } from '../core/source.ts';

/** So many may have one at once; the others wait in the order in which they came. */
export interface Slots {
  /** Resolves with what gives it back. Rejects with {@link Stopped} when the signal is aborted first. */
  take(signal: AbortSignal): Promise<() => void>;
}

/** What one work has of the slots: one at most, however often it asks, so that no two wait for each other. */
export interface Turn {
  /** Resolves when the work has its slot. Rejects with {@link Stopped} when the signal is aborted first. */
  begin(signal: AbortSignal): Promise<void>;
  /** The work is over. */
  end(): void;
}

export function createTurn(slots: Slots): Turn {
  let giveBack: (() => void) | undefined;
  return {
    async begin(signal) {
      giveBack ??= await slots.take(signal);
    },
    end() {
      giveBack?.();
      giveBack = undefined;
    },
  };
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  function giveBack(): void {
    const [next] = waiting;
    if (next === undefined) free++;
    else next();
  }

  return {
    take(signal) {
      return new Promise((resolve, reject) => {
        const start = () => {
          waiting.delete(start);
          signal.removeEventListener('abort', end);
          resolve(giveBack);
        };
        function end(): void {
          waiting.delete(start);
          reject(new Stopped());
        }
        if (signal.aborted) return reject(new Stopped());
        if (free > 0) {
          free--;
          return resolve(giveBack);
        }
        waiting.add(start);
        signal.addEventListener('abort', end, { once: true });
      });
    },
  };
}
