import type { AsideBatch } from '../../delivery/aside.ts';
import type { Clock, Timer } from '../../delivery/clock.ts';
import { continuesRun, MAX_RANGES } from '../../delivery/numbering.ts';
import type { Entry, SendingCounts } from './sending.ts';
import type { SpooledEvent, SpoolPart } from './spool.ts';

export interface PumpOptions {
  readonly part: SpoolPart;
  readonly clock: Clock;
  readonly batching: { readonly count: number; readonly periodMs: number };
  readonly maxInFlight: number;
  readonly counts: SendingCounts;
  /** Sees a batch through; never rejects. */
  readonly deliver: (entries: readonly Entry[], returned?: AsideBatch<Entry>) => Promise<void>;
  /** Nobody waits for full batches any more. */
  readonly isDraining: () => boolean;
}

export interface Pump {
  /** Begins as many deliveries as there is work and room for. */
  run(): void;
  /** Events that no delivery has. */
  waiting(): number;
  /** A batch that was put aside is to be tried again. */
  returned(batch: AsideBatch<Entry>): void;
  settled(entries: readonly Entry[]): void;
  /** Resolves at the next change of what is under way. */
  change(): Promise<void>;
  /** Resolves when no delivery is under way. */
  idle(): Promise<void>;
  stop(): void;
}

/** A backend takes some megabytes; proxies before it often one. */
const MAX_BATCH_BYTES = 900 * 1024;
/** Delivered events whose removal is not on disk yet. Past it the disk is ill, and sending more would only be in vain. */
const MAX_UNSETTLED = 10_000;

/** Hands batches out to as many deliveries as may be under way. */
export function createPump(options: PumpOptions): Pump {
  const { part, clock, batching, maxInFlight, counts, deliver, isDraining } = options;
  const returned: AsideBatch<Entry>[] = [];
  let handedOut = 0;
  let underWay = 0;
  let inFlight = 0;
  let isStopped = false;
  let timer: Timer | undefined;
  let changes: (() => void)[] = [];

  const waiting = () => Math.max(0, part.counts.events - underWay);

  function changed(): void {
    const told = changes;
    changes = [];
    for (const tell of told) tell();
  }

  function begin(entries: readonly Entry[], batch?: AsideBatch<Entry>): void {
    inFlight++;
    if (batch === undefined) {
      underWay += entries.length;
      counts.batchesCreated++;
    }
    void deliver(entries, batch).finally(() => {
      inFlight--;
      changed();
      run();
    });
  }

  function nextBatch(): Entry[] {
    const events = cutRuns(part.after(handedOut, batching.count, MAX_BATCH_BYTES));
    const queuedAt = clock.now();
    return events.map((event) => ({ ...event, queuedAt }));
  }

  function run(): void {
    while (!isStopped && inFlight < maxInFlight && underWay < MAX_UNSETTLED) {
      const back = returned.shift();
      if (back !== undefined) {
        begin(back.entries, back);
        continue;
      }
      if (waiting() === 0) return;
      const isDue = isDraining() || waiting() >= batching.count || timer === undefined;
      if (!isDue) return;
      if (timer === undefined && !isDraining() && waiting() < batching.count && batching.periodMs > 0) {
        timer = clock.setTimer(send, batching.periodMs);
        return;
      }
      if (!send()) return;
    }
  }

  /** The next batch, full or not. */
  function send(): boolean {
    timer?.cancel();
    timer = undefined;
    if (isStopped || inFlight >= maxInFlight) return false;
    const entries = nextBatch();
    const last = entries.at(-1);
    if (last === undefined) return false;
    handedOut = last.number;
    begin(entries);
    return true;
  }

  return {
    run,
    waiting,
    returned(batch: AsideBatch<Entry>) {
      returned.push(batch);
      run();
    },
    settled(entries: readonly Entry[]) {
      underWay -= entries.length;
      changed();
      run();
    },
    change: () => new Promise<void>((resolve) => changes.push(resolve)),
    async idle() {
      while (inFlight > 0) await new Promise<void>((resolve) => changes.push(resolve));
    },
    stop() {
      isStopped = true;
      timer?.cancel();
      changed();
    },
  };
}

/** As many of them as a header can list: after a crash their numbers may have gaps. */
function cutRuns(events: readonly SpooledEvent[]): readonly SpooledEvent[] {
  let runs = 1;
  for (let index = 1; index < events.length; index++) {
    if (!continuesRun(events[index - 1]?.number ?? 0, events[index]?.number ?? 0)) runs++;
    if (runs > MAX_RANGES) return events.slice(0, index);
  }
  return events;
}
