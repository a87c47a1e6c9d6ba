import { expect } from 'vitest';

/** CPU time of this thread alone: what else the machine does counts for nothing. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What a piece of work has computed on this thread, in milliseconds of CPU time. */
export interface Turns {
  longestMs: number;
  totalMs: number;
  count: number;
}

/** Does the work and measures the turns of the event loop that it takes. */
export async function measureTurns<T>(work: () => Promise<T>): Promise<{ result: T; turns: Turns }> {
  const turns: Turns = { longestMs: 0, totalMs: 0, count: 0 };
  let before = cpuMs();
  let isOver = false;
  const look = (): void => {
    const now = cpuMs();
    turns.longestMs = Math.max(turns.longestMs, now - before);
    turns.totalMs += now - before;
    turns.count += 1;
    before = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  try {
    const result = await work();
    look();
    return { result, turns };
  } finally {
    isOver = true;
  }
}

/** What nobody minds to wait for. */
const LONGEST_MS = 100;

/**
 * No turn keeps others waiting. On a machine that computes slowly, because others use its caches say, all of the work is
 * slow: then a turn is a small part of it.
 */
export function expectShortTurns({ longestMs, totalMs, count }: Turns): void {
  const atMost = Math.max(LONGEST_MS, totalMs / 10);
  expect(longestMs, `the longest of ${count} turns, of ${totalMs.toFixed(0)} ms in all`).toBeLessThan(atMost);
}
