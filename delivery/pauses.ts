import type { Clock } from './clock.ts';

/** The pauses between attempts, which shutdown cuts short. */
export interface Pauses {
  sleep(delayMs: number): Promise<void>;
  wakeAll(): void;
}

export function createPauses(clock: Clock): Pauses {
  const sleepers = new Set<() => void>();
  return {
    sleep: (delayMs) =>
      new Promise((resolve) => {
        const timer = clock.setTimer(wake, delayMs);
        function wake(): void {
          timer.cancel();
          sleepers.delete(wake);
          resolve();
        }
        sleepers.add(wake);
      }),
    wakeAll() {
      for (const wake of [...sleepers]) wake();
    },
  };
}
