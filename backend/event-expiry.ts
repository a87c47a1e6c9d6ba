import type { Expiry, UsageStore } from './metering/usage-store/index.ts';
import type { Clock } from './platform/clock.ts';

const DAY_MS = 86_400_000;

/**
 * Removes events that happened and were stored longer ago than some days, but none that are still needed one by one.
 * @param deps.usageNeededFromMs from when on they are; undefined: none are
 * @returns removes some of them; to be called again while it says that there are more
 */
export function createEventExpiry(deps: {
  usage: Pick<UsageStore, 'expire'>;
  usageNeededFromMs: () => Promise<number | undefined>;
  clock: Clock;
  days: number;
}): () => Promise<Expiry> {
  const { usage, usageNeededFromMs, clock, days } = deps;
  /** Of this round: a round has thousands of steps, and what is needed is looked for among all that is open. */
  let beforeMs: number | undefined;
  return async () => {
    beforeMs ??= Math.min(clock.nowMs() - days * DAY_MS, (await usageNeededFromMs()) ?? Number.POSITIVE_INFINITY);
    const result = await usage.expire(beforeMs);
    if (result.state !== 'more') beforeMs = undefined;
    return result;
  };
}
