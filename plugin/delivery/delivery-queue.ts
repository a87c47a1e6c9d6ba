import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import { type Aside, createAside, earliest } from '../../delivery/aside.ts';
import { type Breaker, createBreaker } from '../../delivery/breaker.ts';
import type { Clock } from '../../delivery/clock.ts';
import { createPauses, type Pauses } from '../../delivery/pauses.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { createSender } from '../../delivery/sender.ts';
import { createTransport, type Transport } from '../../delivery/transport.ts';
import { isTokenRefused } from '../../delivery/verdict.ts';
import type { CatchUp } from './catch-up.ts';
import type { DeadLetters } from './dead-letters.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { Entry, EventStore } from './event-store.ts';
import { createIdleReport, type IdleReport } from './idle-report.ts';
import type { Ledger } from './ledger.ts';
import type { Origin } from './origin.ts';
import { createOutbox } from './outbox.ts';
import {
  checkSettings,
  concurrencyOf,
  type DeliverySettings,
  MAX_CONNECTIONS,
  type OnSettled,
  settingsKey,
} from './settings.ts';

const USER_AGENT = 'kong-metering-and-billing';

/** What a queue works with. */
export interface Surroundings {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Counts what becomes of the events of this queue. */
  readonly ledger: Ledger;
  readonly rareLog: RareLog;
  readonly store: EventStore;
  /** Told which events were dealt with. */
  readonly onSettled?: OnSettled | undefined;
  /** Given with a store on disk: no batch is given up, refused events are kept, and what waited is held back. */
  readonly durable?: { readonly deadLetters: DeadLetters; readonly catchUp: CatchUp } | undefined;
}

/** The batches and the connections for the events of one store. */
export interface DeliveryQueue {
  readonly store: EventStore;
  /** To be called after events came into the store by `push`… */
  afterPush(): void;
  /** …or otherwise. */
  run(): void;
  /** When the oldest event in memory was pushed, by the monotonic clock. */
  oldestAt(): number | undefined;
  /** Whether a whole batch waits that may be sent. */
  readonly isBehind: boolean;
  /** Whether the endpoint's last answer was that it refuses the token. */
  readonly isTokenRefused: boolean;
  /** Tells a backend that keeps the ledger what has changed, if nothing else is to be sent. To be called now and then. */
  report(): void;
  /** Whether that backend has not been told all; after `stop` it will not be by this queue any more. */
  readonly isUntold: boolean;
  /** Tells it of another origin as well, of which nothing more will be sent. */
  reportOn(origin: Origin): void;
  /**
   * Sends what is in memory at once and ends. What is left after `deadlineMs` stays on disk, or counts as `shutdown`
   * where there is none.
   */
  stop(deadlineMs: number): Promise<void>;
}

interface Parts {
  /** Names the queue in log lines. */
  readonly endpoint: string;
  readonly transport: Transport;
  readonly pauses: Pauses;
  readonly breaker: Breaker;
  readonly slots: PQueue;
  readonly dispatcher: Dispatcher;
  readonly aside: Aside<Entry> | undefined;
  readonly idleReport: IdleReport;
  readonly shutdown: Shutdown;
  /** Set by the last answer. */
  readonly endpointState: { isTokenRefused: boolean };
}

interface Shutdown {
  isDraining: boolean;
  /** Aborted at the deadline. */
  readonly stopper: AbortController;
}

/** @throws TypeError when the settings cannot work; see {@link checkSettings}. */
export function createDeliveryQueue(settings: DeliverySettings, surroundings: Surroundings): DeliveryQueue {
  const { store } = surroundings;
  const parts = assemble(settings, surroundings);
  const { dispatcher, endpointState, idleReport } = parts;
  let stopped: Promise<void> | undefined;
  return {
    store,
    afterPush: dispatcher.afterPush,
    run: dispatcher.run,
    oldestAt: () => earliest([store.first()?.queuedAt, dispatcher.oldestInFlightAt(), parts.aside?.oldestAt()]),
    get isBehind() {
      return dispatcher.isBehind();
    },
    get isTokenRefused() {
      return endpointState.isTokenRefused;
    },
    report() {
      if (!parts.shutdown.isDraining && !parts.breaker.isOpen) void idleReport.send(store.held === 0);
    },
    get isUntold() {
      return idleReport.isUntold;
    },
    reportOn: idleReport.takeOver,
    stop(deadlineMs) {
      stopped ??= stop(parts, deadlineMs, surroundings);
      return stopped;
    },
  };
}

function assemble(settings: DeliverySettings, surroundings: Surroundings): Parts {
  const { clock, rareLog, store, durable } = surroundings;
  const { queue, token } = settings;
  const url = checkSettings(settings);
  const endpoint = url.origin;
  const key = `${settingsKey(settings)} ${store.origin.process}`;
  const shutdown: Shutdown = { isDraining: false, stopper: new AbortController() };
  const endpointState = { isTokenRefused: false };
  const isDraining = () => shutdown.isDraining;
  const stopSignal = shutdown.stopper.signal;
  // One listener per batch in flight; Node would warn of a leak at eleven.
  setMaxListeners(MAX_CONNECTIONS + 1, stopSignal);

  const transport = createTransport({ ...settings, connections: MAX_CONNECTIONS, userAgent: USER_AGENT }, url, clock);
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
  const aside = durable && createAside<Entry>({ clock, onReturn: (batch) => dispatcher.sendReturned(batch) });
  const idleReport = createIdleReport({ origin: store.origin, transport, stop: stopSignal });
  const scrub = (text: string) => text.replaceAll(token, '[token]');
  const shared = { queue, store, breaker, clock, isDraining, stop: stopSignal, transport, pauses, scrub, aside };
  const { deliver } = createSender({
    ...shared,
    retry: queue,
    outgoing: createOutbox({ ...surroundings, endpoint, deadLetters: durable?.deadLetters }),
    random: surroundings.random,
    rareLog,
    endpoint,
    key,
    onAnswer(answer) {
      endpointState.isTokenRefused = isTokenRefused(answer);
      idleReport.answered(answer);
    },
  });
  const dispatcher = createDispatcher({ ...shared, slots, deliver, catchUp: durable?.catchUp });
  slots.addEventListener('next', dispatcher.run);
  return { endpoint, transport, pauses, breaker, slots, dispatcher, aside, idleReport, shutdown, endpointState };
}

async function stop(parts: Parts, deadlineMs: number, { clock, ledger, store }: Surroundings): Promise<void> {
  const { endpoint, transport, pauses, breaker, slots, dispatcher, aside, shutdown } = parts;
  // First of all: a supervisor may kill the process in some 50 ms.
  store.secure();
  shutdown.isDraining = true;
  slots.concurrency = MAX_CONNECTIONS;
  for (const entries of aside?.empty().toReversed() ?? []) store.giveBack(entries);
  breaker.release();
  pauses.wakeAll();
  dispatcher.run();
  const { promise: timeIsUp, resolve: endTime } = Promise.withResolvers<void>();
  const isWorth = store.active > 0 || parts.idleReport.hasNews;
  const deadline = isWorth ? clock.setTimer(endTime, deadlineMs) : undefined;
  if (isWorth) await Promise.race([sendTheRest(parts, store), timeIsUp]);
  deadline?.cancel();
  shutdown.stopper.abort();
  pauses.wakeAll();
  await slots.onIdle();
  ledger.drop('shutdown', await store.close(), { endpoint });
  transport.destroy();
}

/** Resolves when all is sent, and what was dropped of it is told. */
async function sendTheRest({ slots, idleReport }: Parts, store: EventStore): Promise<void> {
  if (store.active > 0) {
    await new Promise<void>((resolve) => {
      slots.addEventListener('next', () => {
        if (store.active === 0) resolve();
      });
    });
  }
  await idleReport.send();
}
