import { livingMeterSpecs } from '../metering/meters/index.ts';
import { ROLLUPS } from '../platform/db/locks.ts';
import type { AppParts } from './parts.ts';

/**
 * Has the usage store keep roll-ups for the meters that there are; to be called once before requests come. Backends that do so
 * at the same time take turns: none tells the store of meters as they were before another one's change.
 */
export async function startRollups({ usage, db }: Pick<AppParts, 'usage' | 'db'>): Promise<void> {
  await db.alone(ROLLUPS, async () => usage.syncMeters(await livingMeterSpecs(db)));
}

/** One after the other, each reading what is stored by then: of two changes at a time the later one must not lose. */
export function rollupsFollowMeters(parts: AppParts): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last
      .then(() => startRollups(parts))
      // The meter is changed and its queries are right without roll-ups, only slower.
      .catch((error: unknown) => parts.log.error({ err: error }, 'the roll-ups do not follow the meters'));
    return last;
  };
}
