import type { Clock } from '../../delivery/clock.ts';

/**
 * What time it is at the server. A window may be asked for when it is over by its clock and by ours: when ours is ahead, it
 * would be asked for before its samples are there; when the server's `Date` is wrong, it is late and no more.
 */
export interface SourceTime {
  nowMs(): number;
  /** The `Date` of an answer that has just come. @returns seconds that our clock is ahead, when that is worth a word */
  heard(date: string | undefined): number | undefined;
}

/** `Date` has whole seconds, and the answer was under way. */
const TOLERANCE_MS = 5000;

export function createSourceTime(clock: Clock): SourceTime {
  let said: { readonly atMs: number; readonly heardAt: number } | undefined;
  // By the monotonic clock, so that a step of ours changes nothing.
  const serverMs = () => (said === undefined ? undefined : said.atMs + clock.now() - said.heardAt);
  return {
    nowMs: () => Math.min(clock.epochMs(), serverMs() ?? Number.POSITIVE_INFINITY),
    heard(date) {
      const atMs = date === undefined ? Number.NaN : Date.parse(date);
      if (Number.isNaN(atMs)) return undefined;
      said = { atMs, heardAt: clock.now() };
      const aheadMs = clock.epochMs() - atMs;
      return Math.abs(aheadMs) > TOLERANCE_MS ? Math.round(aheadMs / 1000) : undefined;
    },
  };
}
