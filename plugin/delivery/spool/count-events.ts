import type { Clock } from '../../../delivery/clock.ts';
import type { SpoolFiles } from './files.ts';
import { createReadBack } from './read-back.ts';
import type { Segment } from './segments.ts';

/** How many events of part of a segment count, damaged ones included. Resolves; what cannot be read is one event. */
export function countEvents(
  { files, clock }: { readonly files: SpoolFiles; readonly clock: Clock },
  segment: Segment,
  part: { readonly from: number; readonly until: number },
  isWanted: (number: number) => boolean,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let events = 0;
  const reading = createReadBack({
    files,
    clock,
    wantsMore: () => true,
    hasRoom: () => true,
    onRecord: ({ number }) => {
      if (isWanted(number)) events++;
    },
    onUnreadable: (_segment, lost) => {
      events += lost;
    },
    onGone: () => undefined,
    onFileRead: () => resolve(events),
    onProgress: () => undefined,
    onTrouble: () => {
      void reading.stop();
      resolve(events + 1);
    },
  });
  // A copy, since the segment itself may be gone for everybody else.
  reading.appendFile({ ...segment, isGone: false }, part.until, part.from);
  reading.run();
  return promise;
}
