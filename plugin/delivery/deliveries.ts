import type { Clock } from './clock.ts';
import { createDeliveryQueue, type DeliveryQueue } from './delivery-queue.ts';
import { createLedger, type DeliveryCounters, type Ledger } from './ledger.ts';
import { createLog, type LogSink } from './log.ts';
import { createRareLog } from './rare-log.ts';
import { checkSettings, type Deliverable, type Delivery, type DeliverySettings, settingsKey } from './settings.ts';

/** All deliveries of a process; index.ts has the one of production. */
export interface Deliveries {
  open(settings: DeliverySettings): Delivery;
  reportDrop(reason: string, count?: number, detail?: string): void;
  counters(): DeliveryCounters;
  stop(deadlineMs: number): Promise<void>;
}

export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly sink: LogSink;
}

/** Kong never says that a configuration is gone, so from this many on the queues that nobody has used lately are closed. */
const MANY_QUEUES = 64;
const UNUSED_AFTER_MS = 600_000;

interface Opened {
  readonly delivery: Delivery;
  readonly queue: DeliveryQueue;
}

export function createDeliveries({ clock, random, sink }: DeliveriesOptions): Deliveries {
  const log = createLog(sink);
  const rareLog = createRareLog(log, clock);
  const ledger = createLedger(rareLog);
  const opened = new Map<string, Opened>();
  let stopping: Promise<void> | undefined;

  function openNew(key: string, settings: DeliverySettings): Opened {
    closeUnused(opened, clock.now());
    const queue = createDeliveryQueue(settings, { clock, random, ledger, rareLog });
    // Stopped at once, so that whatever is pushed is counted as what it is.
    if (stopping !== undefined) void queue.stop(0);
    // Looks its queue up each time: an instance that wakes after its queue was closed gets a new one.
    const push = (event: Deliverable) => (opened.get(key) ?? openNew(key, settings)).queue.push(event);
    const entry: Opened = { delivery: { push: safely(push, ledger) }, queue };
    opened.set(key, entry);
    return entry;
  }

  function counters(): DeliveryCounters {
    let waiting = 0;
    for (const { queue } of opened.values()) waiting += queue.held;
    return { ...ledger.totals, waiting, dropped: ledger.dropped() };
  }

  async function stopAll(deadlineMs: number): Promise<void> {
    await Promise.all(Array.from(opened.values(), ({ queue }) => queue.stop(deadlineMs)));
    rareLog.flush();
    const { taken, sent, dropped } = counters();
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    log('info', 'delivery stopped', { taken, sent, dropped: lost });
  }

  return {
    open(settings) {
      checkSettings(settings);
      const key = settingsKey(settings);
      return (opened.get(key) ?? openNew(key, structuredClone(settings))).delivery;
    },
    reportDrop: (reason, count = 1, detail) => ledger.drop(reason, count, { detail }),
    counters,
    stop(deadlineMs) {
      stopping ??= stopAll(deadlineMs);
      return stopping;
    },
  };
}

function closeUnused(opened: Map<string, Opened>, now: number): void {
  if (opened.size < MANY_QUEUES) return;
  for (const [key, { queue }] of opened) {
    if (queue.held > 0 || now - queue.lastPushAt < UNUSED_AFTER_MS) continue;
    opened.delete(key);
    void queue.stop(0);
  }
}

function safely(push: (event: Deliverable) => void, ledger: Ledger): (event: Deliverable) => void {
  return (event) => {
    try {
      push(event);
    } catch (error) {
      // Out of memory, or a caller that TypeScript does not check: the log phase of a request must go on.
      ledger.drop('internal_error', 1, { cause: error instanceof Error ? error.name : 'unknown' });
    }
  };
}
