import type { Clock, Timer } from './clock.ts';

/** What batches consist of. */
export interface Queued {
  /** Since when it waits, by the monotonic clock. */
  readonly queuedAt: number;
}

/** A batch that keeps failing, and how many batches had been delivered when it was put aside. */
export interface AsideBatch<T extends Queued = Queued> {
  readonly entries: readonly T[];
  readonly deliveredBefore: number;
}

/**
 * Where batches wait that keep failing although nothing says that their content is wrong. Without a time after which
 * they are given up, one event that the endpoint cannot digest would stop all that come after it for ever. As long as
 * nothing is delivered, no second batch is put aside until the first has been tried again: while an endpoint is down,
 * few batches change places, yet two such events, one behind the other, stop nobody.
 */
export interface Aside<T extends Queued = Queued> {
  /** Whether a batch may make way for the others now. */
  hasRoomFor(entries: readonly T[]): boolean;
  /** Comes back by way of `onReturn` after a while. */
  put(entries: readonly T[]): void;
  /** Another batch was delivered: the endpoint is well. */
  delivered(): void;
  /** Whether others were delivered since: then the batch itself is at fault, and its parts are worth trying. */
  isAtFault(batch: AsideBatch<T>): boolean;
  /** When the oldest event here was pushed, by the monotonic clock. */
  oldestAt(): number | undefined;
  /** All that is here, oldest first; nothing comes back any more. */
  empty(): (readonly T[])[];
}

export interface AsideOptions<T extends Queued = Queued> {
  readonly clock: Clock;
  readonly onReturn: (batch: AsideBatch<T>) => void;
}

/** Often enough for an endpoint that was repaired, seldom enough that a thousand such events cost it 30 requests a second. */
const RETURN_AFTER_MS = 30_000;
/** They are held in memory; past this many the endpoint is ill itself, and the next batch that fails stays where it is. */
const MAX_EVENTS = 1000;

/** The earliest of some instants. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((least, at) => (least === undefined || (at !== undefined && at < least) ? at : least), undefined);
}

export function createAside<T extends Queued>({ clock, onReturn }: AsideOptions<T>): Aside<T> {
  const timers = new Map<AsideBatch<T>, Timer>();
  let events = 0;
  let deliveredBatches = 0;

  const isAtFault = ({ deliveredBefore }: AsideBatch<T>) => deliveredBatches > deliveredBefore;

  function remove(batch: AsideBatch<T>): void {
    timers.get(batch)?.cancel();
    timers.delete(batch);
    events -= batch.entries.length;
  }

  return {
    hasRoomFor: ({ length }) => events + length <= MAX_EVENTS && [...timers.keys()].every(isAtFault),
    put(entries) {
      const batch = { entries, deliveredBefore: deliveredBatches };
      events += entries.length;
      const timer = clock.setTimer(() => {
        remove(batch);
        onReturn(batch);
      }, RETURN_AFTER_MS);
      timers.set(batch, timer);
    },
    delivered() {
      deliveredBatches++;
    },
    isAtFault,
    oldestAt: () => earliest(Array.from(timers.keys(), ({ entries: [first] }) => first?.queuedAt)),
    empty() {
      const batches = [...timers.keys()];
      for (const batch of batches) remove(batch);
      return batches.map(({ entries }) => entries);
    },
  };
}
