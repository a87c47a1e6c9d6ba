import { expect } from 'vitest';

/** CPU time of this thread alone: what else the machine does counts for nothing. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What a piece of work has computed on this thread, in milliseconds of CPU time. */
export interface Turns {
  longestMs: number;
  totalMs: number;
}

/** Turns shorter than this count as one with their neighbours: whoever looks at each keeps the loop from resting. */
const LOOK_EVERY_MS = 1;

/** Measures the turns of the event loop from now on. @returns what they have come to; it ends the measuring */
function startTurns(): () => Turns {
  const turns: Turns = { longestMs: 0, totalMs: 0 };
  let before = cpuMs();
  const look = (): void => {
    const now = cpuMs();
    turns.longestMs = Math.max(turns.longestMs, now - before);
    turns.totalMs += now - before;
    before = now;
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    return turns;
  };
}

/** Does the work and measures the turns that it takes. */
export async function measureTurns<T>(work: () => Promise<T>): Promise<{ result: T; turns: Turns }> {
  await new Promise(setImmediate);
  const end = startTurns();
  try {
    const result = await work();
    return { result, turns: end() };
  } finally {
    end();
  }
}

/** What nobody minds to wait for. */
const LONGEST_MS = 100;

/** No turn keeps others waiting. A hundredth of all the work is for machines on which all of it is slow. */
export function expectShortTurns({ longestMs, totalMs }: Turns): void {
  const what = `the longest turn of ${totalMs.toFixed(0)} ms in all`;
  expect(longestMs, what).toBeLessThan(LONGEST_MS + totalMs / 100);
}
