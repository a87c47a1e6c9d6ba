import { livingMeterSpecs } from '../metering/meters/index.ts';
import type { AppParts } from './parts.ts';

/** Has the usage store keep roll-ups for the meters that there are; to be called once before requests come. */
export async function startRollups({ usage, db }: Pick<AppParts, 'usage' | 'db'>): Promise<void> {
  await usage.syncMeters(await livingMeterSpecs(db));
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
