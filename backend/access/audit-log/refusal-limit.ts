import type { Clock } from '../../platform/clock.ts';

const WINDOW_MS = 60_000;
/** Enough to see that, and how, a token is tried out; a loop of a weak token must not fill the disk. */
const REFUSALS_A_MINUTE = 60;

/** @returns whether one more refused request of a token is to be recorded. As many tokens are kept as there are. */
export function createRefusalLimit(clock: Clock): (tokenId: string) => boolean {
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let counts = new Map<string, number>();
  return (tokenId) => {
    const nowMs = clock.nowMs();
    if (Math.abs(nowMs - windowStartMs) >= WINDOW_MS) {
      windowStartMs = nowMs;
      counts = new Map();
    }
    const count = (counts.get(tokenId) ?? 0) + 1;
    counts.set(tokenId, count);
    return count <= REFUSALS_A_MINUTE;
  };
}
