import type PQueue from 'p-queue';
import { type AsideBatch, earliest } from '../../delivery/aside.ts';
import type { Breaker } from '../../delivery/breaker.ts';
import type { Clock, Timer } from '../../delivery/clock.ts';
import type { CatchUp } from './catch-up.ts';
import type { Entry, EventStore } from './event-store.ts';
import type { QueueSettings } from './settings.ts';

export interface DispatcherOptions {
  readonly queue: QueueSettings;
  readonly store: EventStore;
  readonly breaker: Breaker;
  readonly clock: Clock;
  /** Where batches in flight are counted and bounded. */
  readonly slots: PQueue;
  readonly deliver: (entries: readonly Entry[], returned?: AsideBatch<Entry>) => Promise<void>;
  /** Holds back what was read from disk; undefined = nothing is. */
  readonly catchUp?: CatchUp | undefined;
  /** Whether shutdown has begun. */
  readonly isDraining: () => boolean;
  /** Aborted at the deadline of the shutdown. */
  readonly stop: AbortSignal;
}

/** Decides when a batch leaves the store, and puts it into a slot. */
export interface Dispatcher {
  /** To be called after each push: costs the caller no request, since batches leave after this turn of the event loop. */
  afterPush(): void;
  /** Lets all go that is due now. To be called when a slot becomes free or the breaker changes. */
  run(): void;
  /** Whether a whole batch waits that may be sent. */
  isBehind(): boolean;
  /** Sends a batch that was put aside, as soon as there is a slot for it. */
  sendReturned(batch: AsideBatch<Entry>): void;
  /** When the oldest event that is in flight was pushed, by the monotonic clock. */
  oldestInFlightAt(): number | undefined;
}

/**
 * A batch ends here even if more events wait: 1 MiB is what nginx lets a request body have as shipped, so that larger
 * ones would be refused with 413 by many a proxy, and split again.
 */
const MAX_BATCH_BYTES = 1_000_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, store, clock, slots, catchUp } = options;
  let isRunScheduled = false;
  let coalescing: Timer | undefined;
  let catchingUp: Timer | undefined;
  /** As many as there are slots. */
  const inFlight = new Set<readonly Entry[]>();

  async function send(entries: readonly Entry[], returned?: AsideBatch<Entry>): Promise<void> {
    inFlight.add(entries);
    await options.deliver(entries, returned);
    inFlight.delete(entries);
  }

  /** A buffer that is nearly full is sent from early: waiting for a batch that it cannot hold must not cost an event. */
  const isFull = () => store.waiting >= queue.maxBatchSize || store.waitingBytes >= MAX_BATCH_BYTES || store.isCrowded;
  const isCoalesced = () => clock.now() - (store.first()?.queuedAt ?? 0) >= queue.maxCoalescingDelayMs;

  /** One timer for the oldest event. When that has left in the meantime, the timer finds nothing due and is set anew. */
  function armCoalescing(): void {
    const oldestAt = store.first()?.queuedAt;
    if (coalescing !== undefined || oldestAt === undefined) return;
    // Time has passed since it was looked at: what has become due meanwhile must not wait for the next event.
    const waitMs = Math.max(0, oldestAt + queue.maxCoalescingDelayMs - clock.now());
    coalescing = clock.setTimer(() => {
      coalescing = undefined;
      run();
    }, waitMs);
  }

  /** At shutdown there is no time to be considerate, and little in memory. */
  function isHeldBack(): boolean {
    if (catchUp === undefined || options.isDraining() || store.first()?.isReadBack !== true) return false;
    const waitMs = catchUp.waitMs();
    if (waitMs > 0) {
      catchingUp ??= clock.setTimer(() => {
        catchingUp = undefined;
        run();
      }, waitMs);
    }
    return waitMs > 0;
  }

  function run(): void {
    // Batches are cut when there is a slot for them, not before, so that they are as full as can be.
    let isDue = true;
    const look = () => {
      isDue = options.isDraining() || isFull() || isCoalesced();
      return isDue;
    };
    while (slots.pending < slots.concurrency && maySend(options) && look() && !isHeldBack()) {
      const entries = store.take(queue.maxBatchSize, MAX_BATCH_BYTES);
      catchUp?.spend(entries.filter(({ isReadBack }) => isReadBack).length);
      void slots.add(() => send(entries));
    }
    // What is due waits for a slot, for the breaker or for the limiter, each of which calls run.
    if (!options.isDraining()) {
      if (!isDue) armCoalescing();
    } else for (const timer of [coalescing, catchingUp]) timer?.cancel();
  }

  return {
    afterPush() {
      if (queue.maxCoalescingDelayMs > 0 && !isFull() && !isCoalesced()) return armCoalescing();
      if (isRunScheduled) return;
      isRunScheduled = true;
      setImmediate(() => {
        isRunScheduled = false;
        run();
      });
    },
    run,
    isBehind: () => maySend(options) && isFull(),
    sendReturned: (batch) => void slots.add(() => send(batch.entries, batch)),
    oldestInFlightAt: () => earliest(Array.from(inFlight, ([first]) => first?.queuedAt)),
  };
}

/** Behind an open breaker events stay where they can still be dropped for newer ones, but for one batch to try it with. */
function maySend({ store, breaker, slots, isDraining, stop }: DispatcherOptions): boolean {
  if (store.waiting === 0 || stop.aborted) return false;
  return isDraining() || !breaker.isOpen || slots.pending === 0;
}
