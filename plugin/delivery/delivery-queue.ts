import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { EventStore } from './event-store.ts';
import type { Ledger } from './ledger.ts';
import { createMemoryStore } from './memory-store.ts';
import { createPauses, type Pauses } from './pauses.ts';
import type { RareLog } from './rare-log.ts';
import { createSender } from './sender.ts';
import {
  checkSettings,
  concurrencyOf,
  type Deliverable,
  type DeliverySettings,
  MAX_CONNECTIONS,
  settingsKey,
} from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/** What every queue of the process shares. */
export interface Surroundings {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly rareLog: RareLog;
}

/** The buffer, the batches and the connections of one set of settings. */
export interface DeliveryQueue {
  push(event: Deliverable): void;
  /** Events waiting or in flight. */
  readonly held: number;
  /** When the last event was pushed, or when the queue was made. */
  readonly lastPushAt: number;
  /** Takes no more, sends what is there at once, and counts as `shutdown` what is left after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

interface Parts {
  /** Names the queue in log lines. */
  readonly endpoint: string;
  /** Tells queues apart where log lines are held to one a minute. */
  readonly key: string;
  readonly store: EventStore;
  readonly transport: Transport;
  readonly pauses: Pauses;
  readonly breaker: Breaker;
  readonly slots: PQueue;
  readonly dispatcher: Dispatcher;
  readonly shutdown: Shutdown;
}

interface Shutdown {
  isDraining: boolean;
  /** Aborted at the deadline. */
  readonly stopper: AbortController;
}

/** @throws TypeError when the settings cannot work; see {@link checkSettings}. */
export function createDeliveryQueue(settings: DeliverySettings, surroundings: Surroundings): DeliveryQueue {
  const { clock, ledger, rareLog } = surroundings;
  const { maxEntries, maxBytes } = settings.queue;
  const parts = assemble(settings, surroundings);
  const { endpoint, key, store, dispatcher, shutdown } = parts;
  let lastPushAt = clock.now();
  let isWarned = false;

  function warnWhenNearlyFull(): void {
    const { isNearlyFull } = store;
    if (isNearlyFull && !isWarned) {
      const fields = { endpoint, waiting: store.held, max_entries: maxEntries, max_bytes: maxBytes };
      rareLog.note({ key: `${key} nearly full`, level: 'warn', msg: 'the queue is 80 % full', fields });
    }
    isWarned = isNearlyFull;
  }

  return {
    push(event) {
      ledger.totals.taken++;
      if (shutdown.isDraining) return ledger.drop('shutdown', 1, { endpoint });
      lastPushAt = clock.now();
      store.push(event, lastPushAt);
      warnWhenNearlyFull();
      dispatcher.afterPush();
    },
    get held() {
      return store.held;
    },
    get lastPushAt() {
      return lastPushAt;
    },
    stop: (deadlineMs) => stop(parts, deadlineMs, surroundings),
  };
}

function assemble(settings: DeliverySettings, surroundings: Surroundings): Parts {
  const { clock, ledger, rareLog } = surroundings;
  const { queue, token } = settings;
  const url = checkSettings(settings);
  const endpoint = url.origin;
  const key = settingsKey(settings);
  const shutdown: Shutdown = { isDraining: false, stopper: new AbortController() };
  const isDraining = () => shutdown.isDraining;
  const stopSignal = shutdown.stopper.signal;
  // One listener per batch in flight; Node would warn of a leak at eleven.
  setMaxListeners(MAX_CONNECTIONS, stopSignal);

  const bounds = { maxEntries: queue.maxEntries, maxBytes: queue.maxBytes ?? Infinity };
  const store = createMemoryStore(bounds, (reason) => ledger.drop(reason, 1, { endpoint }));
  const transport = createTransport(settings, url, clock);
  const pauses = createPauses(clock);
  const slots = new PQueue({ concurrency: concurrencyOf(queue) });
  const breaker = createBreaker({
    failureThreshold: queue.failureThreshold,
    cooldownMs: queue.breakerCooldownMs,
    clock,
    onChange(isOpen) {
      const change = isOpen
        ? ({ level: 'error', msg: 'the breaker opened: the endpoint keeps failing' } as const)
        : ({ level: 'info', msg: 'the breaker closed: the endpoint answers again' } as const);
      rareLog.note({ ...change, key: `${key} breaker ${isOpen}`, fields: { endpoint, waiting: store.held } });
      dispatcher.run();
    },
  });
  const scrub = (text: string) => text.replaceAll(token, '[token]');
  const shared = { queue, store, breaker, clock, isDraining, stop: stopSignal };
  const { deliver } = createSender({ ...surroundings, ...shared, endpoint, key, scrub, transport, pauses });
  const dispatcher = createDispatcher({ ...shared, slots, deliver });
  slots.addEventListener('next', dispatcher.run);
  return { endpoint, key, store, transport, pauses, breaker, slots, dispatcher, shutdown };
}

async function stop(parts: Parts, deadlineMs: number, { clock, ledger }: Surroundings): Promise<void> {
  const { endpoint, store, transport, pauses, breaker, slots, dispatcher, shutdown } = parts;
  shutdown.isDraining = true;
  slots.concurrency = MAX_CONNECTIONS;
  breaker.release();
  pauses.wakeAll();
  dispatcher.run();
  if (store.held > 0) {
    await new Promise<void>((resolve) => {
      const deadline = clock.setTimer(resolve, deadlineMs);
      slots.addEventListener('next', () => {
        if (store.held > 0) return;
        deadline.cancel();
        resolve();
      });
    });
    shutdown.stopper.abort();
    pauses.wakeAll();
    await slots.onIdle();
  }
  ledger.drop('shutdown', store.close(), { endpoint });
  transport.destroy();
}
