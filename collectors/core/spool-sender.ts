import { setMaxListeners } from 'node:events';
import { type AsideBatch, createAside, type Queued } from '../../delivery/aside.ts';
import { createBreaker } from '../../delivery/breaker.ts';
import type { Clock, Timer } from '../../delivery/clock.ts';
import { continuesRun, MAX_RANGES, numberingHeaders } from '../../delivery/numbering.ts';
import { createPauses } from '../../delivery/pauses.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { createSender, type Outbox, reasonOf } from '../../delivery/sender.ts';
import type { Transport } from '../../delivery/transport.ts';
import { isTokenRefused } from '../../delivery/verdict.ts';
import { pause } from './source.ts';
import type { SpooledEvent, SpoolPart } from './spool.ts';

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

/** What it has done since the start of the process. */
export interface SenderCounts {
  readonly sent: number;
  readonly batchesCreated: number;
  readonly batchesSent: number;
  readonly retried: number;
  /** From taking an event to its delivery, in all, in milliseconds of the wall clock. */
  readonly latencyMs: number;
  /** When the endpoint last took something, by the wall clock. */
  readonly lastSentAtMs: number | undefined;
  readonly isTokenRefused: boolean;
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

interface Entry extends SpooledEvent, Queued {}

/** For ever, up to a minute apart. */
const RETRY = { initialRetryDelayMs: 500, maxRetryDelayMs: 60_000, maxRetryTimeMs: 0 };
const FAILURE_THRESHOLD = 5;
const COOLDOWN_MS = 5000;
/** A backend takes some megabytes; proxies before it often one. */
const MAX_BATCH_BYTES = 900 * 1024;
/** Delivered events whose removal is not on disk yet. Past it the disk is ill, and sending more would only be in vain. */
const MAX_UNSETTLED = 10_000;
const DISK_PAUSE_MS = 1000;

export function createSpoolSender(options: SpoolSenderOptions): SpoolSender {
  const { part, clock, rareLog, endpoint, node } = options;
  // First no more attempts, then not even the end of those under way.
  const stopper = new AbortController();
  const cutter = new AbortController();
  for (const { signal } of [stopper, cutter]) setMaxListeners(0, signal);
  const pauses = createPauses(clock);
  const counts = {
    sent: 0,
    batchesCreated: 0,
    batchesSent: 0,
    retried: 0,
    latencyMs: 0,
    lastSentAtMs: undefined as number | undefined,
    isTokenRefused: false,
  };
  let isDraining = false;
  const breaker = createBreaker({
    failureThreshold: FAILURE_THRESHOLD,
    cooldownMs: options.cooldownMs ?? COOLDOWN_MS,
    clock,
    onChange(isOpen) {
      const change = isOpen
        ? ({ level: 'error', msg: 'the endpoint keeps failing; events wait in the spool' } as const)
        : ({ level: 'info', msg: 'the endpoint answers again' } as const);
      rareLog.note({ ...change, key: `${node} breaker ${isOpen}`, fields: { endpoint, waiting: part.counts.events } });
    },
  });
  const aside = createAside<Entry>({ clock, onReturn: (batch) => pump.returned(batch) });
  const outbox = createOutbox(options, counts, stopper.signal, (left) => pump.settled(left));
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
  const pump = createPump(options, counts, sender.deliver, () => isDraining);
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

type Counts = { -readonly [Name in keyof SenderCounts]: SenderCounts[Name] };

function createOutbox(
  { part, node, clock, rareLog }: SpoolSenderOptions,
  counts: Counts,
  stop: AbortSignal,
  onSettled: (entries: readonly Entry[]) => void,
): Omit<Outbox<Entry>, 'waiting' | 'drop'> {
  const origin = {
    node,
    process: part.process,
    get taken() {
      return part.counts.taken;
    },
    dropped: () => ({
      ...(part.counts.unmapped > 0 && { unmapped: part.counts.unmapped }),
      ...(part.counts.rejected > 0 && { rejected: part.counts.rejected }),
    }),
  };
  /** Not waited for: what is removed late is sent again after a crash, and counts once. */
  async function remove(entries: readonly Entry[], dead: Parameters<SpoolPart['settle']>[2]): Promise<void> {
    const numbers = entries.map(({ number }) => number);
    const bytes = entries.reduce((sum, one) => sum + one.bytes, 0);
    for (;;) {
      try {
        await part.settle(numbers, bytes, dead);
        return onSettled(entries);
      } catch (error) {
        rareLog.note({
          key: `${node} disk`,
          level: 'error',
          msg: 'the spool cannot be written',
          fields: { cause: String(error) },
        });
        if (stop.aborted) return onSettled(entries);
        await pause(clock, DISK_PAUSE_MS, stop);
      }
    }
  }

  return {
    headersOf: (entries) =>
      numberingHeaders(
        origin,
        entries.map(({ number }) => number),
      ),
    bodyOf: (entries) => [Buffer.from(`[${part.texts(entries.map(({ number }) => number))}]`)],
    onRetry() {
      counts.retried++;
    },
    settle(entries, refused) {
      const now = clock.epochMs();
      counts.sent += entries.length - refused.length;
      counts.batchesSent++;
      counts.lastSentAtMs = now;
      for (const { takenAtMs } of entries) counts.latencyMs += Math.max(0, now - takenAtMs);
      for (const { fields } of refused) {
        rareLog.note({
          key: `${node} rejected`,
          level: 'warn',
          msg: 'the endpoint refused an event; it is kept as a dead letter',
          fields,
        });
      }
      void remove(
        entries,
        refused.map(({ entry, fields }) => ({
          kind: 'rejected',
          reason: reasonOf(fields),
          record: part.texts([entry.number]),
        })),
      );
      return Promise.resolve();
    },
    giveBack() {
      // It has never left the spool.
    },
  };
}

/** Hands batches out to as many deliveries as may be under way. */
function createPump(
  { part, clock, batching, maxInFlight }: SpoolSenderOptions,
  counts: Counts,
  deliver: (entries: readonly Entry[], returned?: AsideBatch<Entry>) => Promise<void>,
  isDraining: () => boolean,
) {
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
