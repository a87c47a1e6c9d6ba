import { setMaxListeners } from 'node:events';
import { createAside } from '../../delivery/aside.ts';
import { type Breaker, createBreaker } from '../../delivery/breaker.ts';
import type { Clock } from '../../delivery/clock.ts';
import { createPauses } from '../../delivery/pauses.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { createSender } from '../../delivery/sender.ts';
import type { Transport } from '../../delivery/transport.ts';
import { isTokenRefused } from '../../delivery/verdict.ts';
import { createPump } from './pump.ts';
import { createCounts, type Entry, type SenderCounts } from './sending.ts';
import { pause } from './source.ts';
import type { SpoolPart } from './spool.ts';
import { createSpoolOutbox } from './spool-outbox.ts';

export interface SpoolSenderOptions {
  readonly part: SpoolPart;
  /** What the backend's ledger calls this sender. */
  readonly node: string;
  /** Scheme, host and port, for log lines. */
  readonly endpoint: string;
  readonly transport: Transport;
  /** A batch leaves when it has so many events, or when so much time has passed. */
  readonly batching: { readonly count: number; readonly periodMs: number };
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rareLog: RareLog;
  /** Removes secrets from a text of foreign origin. */
  readonly scrub: (text: string) => string;
  /** How long an endpoint that keeps failing is left alone; default 5 s. */
  readonly cooldownMs?: number | undefined;
}

/** Sends what is in the spool, in order, and removes it when the endpoint has it. Nothing is ever given up. */
export interface SpoolSender {
  readonly counts: SenderCounts;
  /** When the oldest event that has not been delivered was taken, by the wall clock. */
  oldestAtMs(): number | undefined;
  start(): void;
  /** Sends without waiting for full batches; resolves when the spool is empty, or when stopped. */
  drain(): Promise<void>;
  /** Finishes the requests under way within the deadline. What is left stays in the spool. */
  stop(deadlineMs: number): Promise<void>;
}

/** For ever, up to a minute apart. */
const RETRY = { initialRetryDelayMs: 500, maxRetryDelayMs: 60_000, maxRetryTimeMs: 0 };
const FAILURE_THRESHOLD = 5;
const COOLDOWN_MS = 5000;

export function createSpoolSender(options: SpoolSenderOptions): SpoolSender {
  const { part, clock, rareLog, endpoint, node } = options;
  // First no more attempts, then not even the end of those under way.
  const stopper = new AbortController();
  const cutter = new AbortController();
  for (const { signal } of [stopper, cutter]) setMaxListeners(0, signal);
  const pauses = createPauses(clock);
  const counts = createCounts();
  let isDraining = false;
  const breaker = breakerOf(options);
  const aside = createAside<Entry>({ clock, onReturn: (batch) => pump.returned(batch) });
  const onSettled = (left: readonly Entry[]) => pump.settled(left);
  const outbox = createSpoolOutbox({ ...options, counts, stop: stopper.signal, onSettled });
  const sender = createSender<Entry>({
    retry: RETRY,
    endpoint,
    key: node,
    scrub: options.scrub,
    outgoing: {
      ...outbox,
      get waiting() {
        return pump.waiting();
      },
      drop: (reason, dropped, fields) => {
        rareLog.note({
          key: `${node} ${reason}`,
          level: 'error',
          msg: 'a batch failed, and will be tried again',
          fields,
        });
        aside.put(dropped);
      },
    },
    transport: {
      post: (body, headers) => options.transport.post(body, headers, cutter.signal),
      destroy: options.transport.destroy,
    },
    breaker,
    pauses,
    clock,
    random: options.random,
    rareLog,
    aside,
    onAnswer(answer) {
      counts.isTokenRefused = isTokenRefused(answer);
    },
    isDraining: () => stopper.signal.aborted,
    stop: stopper.signal,
  });
  const pump = createPump({ ...options, counts, deliver: sender.deliver, isDraining: () => isDraining });
  part.onEvents(pump.run);

  return {
    counts,
    oldestAtMs: () => part.after(0, 1, 1)[0]?.takenAtMs,
    start: pump.run,
    async drain() {
      isDraining = true;
      pump.run();
      while (part.counts.events > 0 && !stopper.signal.aborted) await pump.change();
    },
    async stop(deadlineMs) {
      pump.stop();
      stopper.abort();
      breaker.release();
      pauses.wakeAll();
      aside.empty();
      const waiting = new AbortController();
      await Promise.race([pump.idle(), pause(clock, deadlineMs, waiting.signal)]);
      waiting.abort();
      cutter.abort();
      await pump.idle();
      options.transport.destroy();
    },
  };
}

function breakerOf({ part, clock, rareLog, endpoint, node, cooldownMs = COOLDOWN_MS }: SpoolSenderOptions): Breaker {
  return createBreaker({
    failureThreshold: FAILURE_THRESHOLD,
    cooldownMs,
    clock,
    onChange(isOpen) {
      const change = isOpen
        ? ({ level: 'error', msg: 'the endpoint keeps failing; events wait in the spool' } as const)
        : ({ level: 'info', msg: 'the endpoint answers again' } as const);
      rareLog.note({ ...change, key: `${node} breaker ${isOpen}`, fields: { endpoint, waiting: part.counts.events } });
    },
  });
}
