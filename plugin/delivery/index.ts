import { systemClock } from '../../delivery/clock.ts';
import { createLog, stderrSink } from '../../delivery/log.ts';
import { createRareLog } from '../../delivery/rare-log.ts';
import { readConfig } from './config.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import type { DeliveryCounters } from './ledger.ts';
import { startMetricsServer } from './metrics-server.ts';
import { prometheusText } from './prometheus.ts';
import { openServed, type Served } from './served/served.ts';
import type { Counter } from './served/tally.ts';
import type { Delivery, DeliverySettings, OnSettled } from './settings.ts';
import { codeOf } from './spool/files.ts';

export type { DeliveryCounters } from './ledger.ts';
export type { Deliverable, Delivery, DeliverySettings, OnSettled, QueueSettings, Ticket } from './settings.ts';

/** Long enough for a backend that answers; Kong itself kills after some 50 ms, other supervisors after 10 s or more. */
const SHUTDOWN_DEADLINE_MS = 5000;

// One for the process, not one per caller: Kong starts an instance per worker and configuration, and what belongs
// together is to leave in one batch and to respect one bound. Made when it is first needed: a plugin server that only
// describes its plugins reads no settings and says nothing about them.
let theDeliveries: Deliveries | undefined;
let isShutdownInstalled = false;
let settledListener: OnSettled | undefined;
let theServed: Served | undefined;

function deliveries(): Deliveries {
  theDeliveries ??= start();
  return theDeliveries;
}

function start(): Deliveries {
  const clock = systemClock;
  const { config, problems } = readConfig();
  const log = createLog(stderrSink);
  for (const problem of problems)
    log('error', 'a setting of the environment is wrong, its default is used', { problem });
  const { spool, node, metrics, requestsLog } = config;
  const started = createDeliveries({
    clock,
    random: Math.random,
    sink: stderrSink,
    node,
    spool,
    onSettled: (tickets) => settledListener?.(tickets),
  });
  const rareLog = createRareLog(log, clock);
  if (metrics !== undefined) {
    const read = () => prometheusText(started.snapshot());
    startMetricsServer({ address: metrics, clock, rareLog, read });
  }
  if (requestsLog !== undefined && spool !== undefined) {
    theServed = openServed({
      settings: requestsLog,
      dir: spool.dir,
      node,
      clock,
      rareLog,
      onTrouble: (error) => {
        const msg = 'the counts of requests cannot be written';
        rareLog.note({ key: msg, level: 'error', msg, fields: { code: codeOf(error), dir: spool.dir } });
      },
      onReport: started.tellAccount,
    });
  }
  return started;
}

/**
 * The Delivery of these settings: equal settings give the same one, with one buffer and one pool of connections.
 * @throws TypeError when the endpoint, the token or a bound cannot work. The message has neither endpoint nor token.
 */
export function openDelivery(settings: DeliverySettings): Delivery {
  return deliveries().open(settings);
}

/** Has somebody told which events have arrived, or never will. One at a time. */
export function onSettled(listener: OnSettled): void {
  settledListener = listener;
}

/** Whether this process is delivering, or looking for, what a dead one has left on disk. */
export function isAdopting(): boolean {
  return deliveries().isAdopting();
}

/**
 * Counts and logs (one line a minute per reason) what the caller itself leaves out.
 * @param reason a fixed word such as `no_subject`, never made from data: past 64 of them the rest count as `other`
 * @param detail goes into the log line as it is, cut to 300 characters: no secrets, no payloads
 */
export function reportDrop(reason: string, count?: number, detail?: string): void {
  deliveries().reportDrop(reason, count, detail);
}

/**
 * To be called once for each request of which the gateway tells.
 * @param outcome what has become of it: `metered`, or a fixed word for why it made no event
 */
export const countRequest: Counter = (outcome, requestId) => theServed?.count(outcome, requestId);

/** Another process of this gateway is gone: what it had counted last may be told to this one, and is not to count again. */
export function recallRequests(): void {
  theServed?.recall();
}

/** Totals over all deliveries since the start of the process. */
export function deliveryCounters(): DeliveryCounters {
  return deliveries().counters();
}

/**
 * Hands to the operating system, within the call, whatever has been pushed: what it has, a killed process does not take
 * with it. Costs nothing when there is nothing new. Never throws.
 */
export function flushDelivery(): void {
  theDeliveries?.flush();
  // After the events: one that is counted is stored.
  theServed?.settle();
}

/** Whether more waits than a batch that could be sent: whoever holds this process up then costs more than he saves. */
export function isDeliveryBehind(): boolean {
  return theDeliveries?.isBehind() ?? false;
}

/**
 * Puts what is waiting on disk within the call, and sends what is there at once. What is left after the deadline stays
 * on disk for the next process; without a spool it counts as dropped, `shutdown`. For good: a second call waits for the
 * first.
 */
export function stopDelivery(deadlineMs: number = SHUTDOWN_DEADLINE_MS): Promise<void> {
  void theServed?.close();
  return deliveries().stop(deadlineMs);
}

/**
 * On SIGTERM: `stopDelivery`, then exit with 0. Further calls and further signals do nothing. However else the process
 * ends by itself, what waits is put on disk first.
 */
export function installShutdown(): void {
  if (isShutdownInstalled) return;
  isShutdownInstalled = true;
  process.on('SIGTERM', () => {
    void stopDelivery().finally(() => process.exit(0));
  });
  process.on('exit', () => {
    theDeliveries?.secure();
    theServed?.settle();
  });
}
